package object

// Instructions as they lie in memory: opcode, registers, 16-bit offset, 32-bit immediate (Documentation/bpf/standardization/instruction-set.rst).
const (
	opLoad64 = 0x18 // BPF_LD | BPF_IMM | BPF_DW: two slots, the second with opcode 0 and the upper half of the value
	opCall   = 0x85 // BPF_JMP | BPF_CALL
	opMove   = 0xb4 // BPF_ALU | BPF_MOV | BPF_K
	opExit   = 0x95 // BPF_JMP | BPF_EXIT
	opMove64 = 0xb7 // BPF_ALU64 | BPF_MOV | BPF_K

	// What the source register says of the immediate.
	pseudoMapFD    = 1 // of opLoad64: a map
	pseudoMapValue = 2 // of opLoad64: a map, and in the second slot an offset into its only value
	pseudoFunction = 4 // of opLoad64: a function, as a distance
	pseudoVariable = 3 // of opLoad64: a variable or function of the kernel by its BTF id, and in the second slot the descriptor of a module's BTF
	pseudoCall     = 1 // of opCall: a function, as a distance
	pseudoKernel   = 2 // of opCall: a function of the kernel by its BTF id; the offset is the index of a module's BTF [5.16]
)

// maxInstructions is what the kernel takes in one program (BPF_COMPLEXITY_LIMIT_INSNS).
const maxInstructions = 1_000_000

// sourceRegister returns the upper four bits of the registers' byte; big-endian machines have it in the lower ones.
func (big bigEndian) sourceRegister(insn []byte) byte {
	if big {
		return insn[1] & 0x0f
	}
	return insn[1] >> 4
}

func (big bigEndian) setSourceRegister(insn []byte, register byte) {
	if big {
		insn[1] = insn[1]&0xf0 | register
		return
	}
	insn[1] = insn[1]&0x0f | register<<4
}

func (big bigEndian) immediate(insn []byte) int32 { return int32(big.uint32(insn[4:])) }

func (big bigEndian) setImmediate(insn []byte, value int32) { big.putUint32(insn[4:], uint32(value)) }

// isPlainLoad64 reports whether an instruction loads a constant of 64 bits, and nothing else is asked of it.
func (big bigEndian) isPlainLoad64(insn []byte) bool {
	if insn[0] != opLoad64 || big.sourceRegister(insn) != 0 || len(insn) < 2*insnSize {
		return false
	}
	next := insn[insnSize:]
	return big.offset(insn) == 0 && next[0] == 0 && next[1] == 0 && big.offset(next) == 0
}

// offset returns the 16-bit offset.
func (big bigEndian) offset(insn []byte) int16 {
	if big {
		return int16(insn[2])<<8 | int16(insn[3])
	}
	return int16(insn[3])<<8 | int16(insn[2])
}

func (big bigEndian) setOffset(insn []byte, offset int16) {
	low, high := byte(offset), byte(uint16(offset)>>8)
	if big {
		low, high = high, low
	}
	insn[2], insn[3] = low, high
}
