package object

import (
	"slices"
	"strings"

	"github.com/pinion-bpf/pinion/internal/text"
)

// fileArchitectures are those that bpf2go (cilium/ebpf) puts in file names, as in bpf_x86_bpfel.o.
const fileArchitectures = "x86 arm arm64 loongarch mips mips64 powerpc powerpc64 riscv riscv64 s390 sparc sparc64"

// DefaultName returns the object name that [Open] takes from a file's path: its base name without ".bpf.o", ".o" or ".elf".
// Names that tools give to everyone's objects tell nothing apart, so they give "": bpf, bpf_bpfel, bpf_bpfeb, and both with an
// architecture, as in bpf_x86_bpfel. Who pins such an object has to name it.
func DefaultName(path string) string {
	name := path[strings.LastIndexByte(path, '/')+1:]
	for _, suffix := range []string{".bpf.o", ".o", ".elf"} {
		if base, found := strings.CutSuffix(name, suffix); found {
			name = base
			break
		}
	}
	if name == "bpf" {
		return ""
	}
	middle, little := strings.CutSuffix(name, "_bpfel")
	middle, big := strings.CutSuffix(middle, "_bpfeb")
	if !little && !big {
		return name
	}
	architecture, generic := text.CutPrefix(middle, "bpf")
	architecture = strings.TrimPrefix(architecture, "_")
	if generic && (architecture == "" || slices.Contains(strings.Fields(fileArchitectures), architecture)) {
		return ""
	}
	return name
}
