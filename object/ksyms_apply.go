package object

import (
	"strings"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/text"
)

// answer is what the kernel says of an extern. The zero answer is that it was not asked.
type answer struct {
	state   answerState
	module  int16  // of externVariable and externFunction: the index in loader.modules of the BTF that has it; 0 for the kernel's own
	fd      int32  // that BTF's descriptor; 0 for the kernel's own
	id      uint32 // the type's id there
	address uint64 // of externAddress
	why     string // it is missing
	unsure  bool   // it is there, but cannot be given: an error even where it is weak
}

type answerState uint8

const (
	notAsked answerState = iota
	isThere
	isMissing
)

// apply implements ksymFixes, as libbpf does (bpf_object__relocate_data).
func (k *ksyms) apply(f *function, ref *reference, insn []byte) (known bool, err error) {
	i := externAt(k.externs, ref.name)
	if i == nowhere || k.externs[i].kind == externKconfig {
		return false, nil
	}
	e, says := &k.externs[i], &k.answers[i]
	where := func() string {
		return text.Form("{} {} in function {}, instruction {}").Add(e.kind.String()).Quote(e.name).Quote(f.name).Uint(uint64(ref.insn)).String()
	}
	switch {
	case insn[0] == opCall && e.kind != externFunction:
		return true, malformed(where() + ": a call of what is no function")
	case says.state == isMissing && (!e.weak || says.unsure):
		return true, &problem{ErrExtern, text.Form("{}: {}").Add(where()).Add(says.why).String()}
	case insn[0] == opCall:
		k.src.big.setKernelCall(insn, says, i)
	default:
		k.src.big.setKernelValue(insn, says)
	}
	return true, nil
}

// setKernelCall makes an instruction call a function of the kernel. One that is missing becomes a helper that no kernel has, which the verifier refuses where it can be reached.
func (big bigEndian) setKernelCall(insn []byte, says *answer, extern int) {
	if says.state == isMissing {
		big.setSourceRegister(insn, 0)
		big.setImmediate(insn, int32(missingFunction+extern))
		return
	}
	big.setSourceRegister(insn, pseudoKernel)
	big.setOffset(insn, says.module)
	big.setImmediate(insn, int32(says.id))
}

// setKernelValue makes a 64-bit load give an address of the kernel's; that of what is missing is 0.
func (big bigEndian) setKernelValue(insn []byte, says *answer) {
	low, high := uint32(says.address), uint32(says.address>>32)
	if says.id != 0 {
		big.setSourceRegister(insn, pseudoVariable)
		low, high = says.id, uint32(says.fd)
	}
	big.putUint32(insn[4:], low)
	big.putUint32(insn[insnSize+4:], high)
}

// missingFunction, with the index of the extern added, is the helper that is called in the place of a function that the kernel has not: libbpf's number.
const missingFunction = 2002000000

// explain implements ksymFixes.
func (k *ksyms) explain(log string) string {
	for i := range k.externs {
		e, says := &k.externs[i], &k.answers[i]
		if e.kind != externFunction || says.state != isMissing {
			continue
		}
		if strings.Contains(log, "unknown#"+text.Number(uint64(missingFunction+i))) {
			return text.Form("{} {} is called where it can be missing: {}; ask bpf_ksym_exists before").Add(e.kind.String()).Quote(e.name).Add(says.why).String()
		}
	}
	return ""
}

// hide implements ksymFixes.
func (k *ksyms) hide(types *btf.Data, datasec btf.ID) error { return types.HideExterns(datasec) }
