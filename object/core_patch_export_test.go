package object

import "github.com/pinion-bpf/pinion/internal/btf"

// Fit is what writes a fix into an instruction.
func Fit(insn []byte, bigOrder bool, fix btf.Fix) (poisoned bool, kind error, what string) {
	return bigEndian(bigOrder).fit(insn, &fix)
}
