package object

import "github.com/pinion-bpf/pinion/internal/btf"

// Fit is what writes a fix into an instruction.
func Fit(insn []byte, bigOrder bool, fix btf.Fix) (poisoned bool, err error) {
	poisoned, wrong := bigEndian(bigOrder).fit(insn, &fix)
	if wrong != nil {
		return poisoned, wrong
	}
	return poisoned, nil
}
