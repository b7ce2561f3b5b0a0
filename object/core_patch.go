package object

import (
	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/text"
)

// Parts of an opcode.
const (
	classMask        = 0x07
	sourceIsRegister = 0x08 // BPF_X: of arithmetic
	sizeMask         = 0x18 // of loads and stores

	classLDX   = 0x01
	classST    = 0x02
	classSTX   = 0x03
	classALU   = 0x04
	classALU64 = 0x07
)

// poisonHelper is the number of a helper that no kernel has, by which libbpf, and the kernel's own selftests, know an access that could not be fitted: 0xbad2310.
const poisonHelper = 195896080

// setPoison makes an instruction one that the verifier refuses if it can be reached. If it cannot, it is dropped as dead code.
func (big bigEndian) setPoison(insn []byte) {
	if insn[0] == opLoad64 {
		big.setPoison(insn[insnSize:]) // its second half, of opcode 0
	}
	insn[0], insn[1], insn[2], insn[3] = opCall, 0, 0, 0
	big.setImmediate(insn, poisonHelper)
}

// isOld reports whether a constant in an instruction is what the compiler must have put there.
func isOld(fix *btf.Fix, got uint64) bool {
	if fix.Value32 {
		return uint32(got) == uint32(fix.Old)
	}
	return fix.Unsure || got == fix.Old
}

// newValue is what belongs into an instruction that has got now. A negative value of an enumeration that the types say has no sign shows that they are those of an old
// compiler, which did not tell.
func newValue(fix *btf.Fix, got uint64) uint64 {
	if fix.Value32 && fix.New32 && int64(got) < 0 {
		return uint64(int32(fix.New))
	}
	return fix.New
}

//go:noinline
func otherValue(fix *btf.Fix, got uint64) string {
	return text.Form("the instruction has {}, and by the object's types it should be {}").Uint(got).Uint(fix.Old).String()
}

// fitConstant fits an instruction whose immediate is a constant of 32 bits, extended with its sign to 64 unless the instruction works on 32 bits.
func (big bigEndian) fitConstant(insn []byte, fix *btf.Fix, only32 bool) (poisoned bool, wrong *problem) {
	if fix.Missing {
		big.setPoison(insn)
		return true, nil
	}
	got := uint64(int64(big.immediate(insn)))
	if !isOld(fix, got) {
		return false, &problem{ErrFormat, otherValue(fix, got)}
	}
	value := newValue(fix, got)
	if int64(value) != int64(int32(value)) && !(only32 && value <= 1<<32-1) {
		return false, &problem{ErrRelocation, text.Form("{} does not fit into the 32 bits of the instruction").Uint(value).String()}
	}
	big.setImmediate(insn, int32(uint32(value)))
	return false, nil
}

// fitLoad64 fits a load of a constant of 64 bits.
func (big bigEndian) fitLoad64(insn []byte, fix *btf.Fix) (poisoned bool, wrong *problem) {
	if fix.Missing {
		big.setPoison(insn)
		return true, nil
	}
	got := uint64(big.uint32(insn[4:])) | uint64(big.uint32(insn[insnSize+4:]))<<32
	if !isOld(fix, got) {
		return false, &problem{ErrFormat, otherValue(fix, got)}
	}
	value := newValue(fix, got)
	big.putUint32(insn[4:], uint32(value))
	big.putUint32(insn[insnSize+4:], uint32(value>>32))
	return false, nil
}

// fitMemory fits a load or a store, of 1, 2, 4 or 8 bytes at an offset.
func (big bigEndian) fitMemory(insn []byte, fix *btf.Fix) (poisoned bool, wrong *problem) {
	if got := uint64(int64(big.offset(insn))); !fix.Missing && !isOld(fix, got) {
		return false, &problem{ErrFormat, otherValue(fix, got)}
	}
	if !fix.Missing && fix.New > 1<<15-1 {
		return false, &problem{ErrRelocation, text.Form("the field lies {} bytes into its type, too far for a load or store: read it with a helper (BPF_CORE_READ)").
			Uint(fix.New).String()}
	}
	if fix.Missing || fix.BadSize {
		big.setPoison(insn)
		return true, nil
	}
	if fix.OldSize != fix.NewSize {
		if memorySize(insn[0]) != fix.OldSize {
			return false, &problem{ErrFormat, text.Form("the instruction reads or writes {} bytes of a field of {}").
				Uint(uint64(memorySize(insn[0]))).Uint(uint64(fix.OldSize)).String()}
		}
		size, ok := sizeBits(fix.NewSize)
		if !ok {
			return false, &problem{ErrRelocation, text.Form("the field has {} bytes, which no load or store has").Uint(uint64(fix.NewSize)).String()}
		}
		insn[0] = insn[0]&^sizeMask | size
	}
	big.setOffset(insn, int16(fix.New))
	return false, nil
}

// memorySize is how many bytes a load or store is about.
func memorySize(opcode byte) uint32 { return [...]uint32{4, 2, 1, 8}[opcode&sizeMask>>3] }

// sizeBits are the bits of an opcode for that many bytes.
func sizeBits(size uint32) (bits byte, ok bool) {
	for i, s := range [...]uint32{4, 2, 1, 8} {
		if s == size {
			return byte(i) << 3, true
		}
	}
	return 0, false
}
