package object

import (
	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// jumpTable is a 64-bit load that wants the address of a table of instructions, for an indirect jump (gotox).
type jumpTable struct {
	insn    uint32   // index of the load in the image
	targets []uint32 // indices of instructions in the image
}

const (
	jumpTargetSize = 8  // bytes in an entry of section .jumptables: where an instruction is in its section
	jumpEntrySize  = 16 // bytes in a value of the map: struct bpf_insn_array_value
)

// addJumpTable reads the table that a load of f refers to, in the image where f begins at base.
func (a *assembler) addJumpTable(f *function, ref *reference, base uint32) error {
	table := a.src.only(roleJumpTables).Data[ref.offset:][:ref.size]
	t := jumpTable{insn: base + ref.insn, targets: make([]uint32, 0, len(table)/jumpTargetSize)}
	for ; len(table) > 0; table = table[jumpTargetSize:] {
		target := a.src.file.Order.Uint64(table)
		insn := target/insnSize - uint64(f.start)
		if target%insnSize != 0 || target/insnSize < uint64(f.start) || insn >= uint64(f.count) {
			return malformed(text.Form("jump table {} of function {} leads to byte {} of its section, where it has no instruction").Quote(ref.name).Quote(f.name).Uint(target).String())
		}
		t.targets = append(t.targets, base+uint32(insn))
	}
	a.image.jumpTables = append(a.image.jumpTables, t)
	return nil
}

// makeJumpTables makes maps of the jump tables of a program and writes them into its instructions. The program keeps them; the loader does not, once it is loaded. Linux 6.19.
func (l *loader) makeJumpTables(m *image) (made []*sys.FD, err error) {
	for i := range m.jumpTables {
		fd, err := l.makeJumpTable(&m.jumpTables[i], m.big)
		if fd != nil {
			made = append(made, fd)
		}
		if err != nil {
			return made, err
		}
		m.big.setImmediate(m.insns[int(m.jumpTables[i].insn)*insnSize:], int32(fd.Int()))
	}
	return made, nil
}

func (l *loader) makeJumpTable(t *jumpTable, big bigEndian) (*sys.FD, error) {
	m := MapSpec{Name: ".jumptables", Type: sys.MapTypeInsnArray, KeySize: 4, ValueSize: jumpEntrySize, MaxEntries: uint32(len(t.targets))}
	fd, err := l.createPlain(&m, nil)
	if err != nil {
		return nil, err
	}
	var value [jumpEntrySize]byte // the kernel fills in all but the first 4 bytes
	for i, target := range t.targets {
		key := uint32(i)
		big.putUint32(value[:], target)
		if err := sys.MapUpdateElem(&sys.MapElemAttr{MapFD: fd.Attr(), Key: sys.Ptr(&key), Value: sys.Slice(value[:])}); err != nil {
			return fd, sys.Fail("write the jump table", text.Quote(m.Name), err, "")
		}
	}
	if err := sys.MapFreeze(&sys.MapFreezeAttr{MapFD: fd.Attr()}); err != nil {
		return fd, sys.Fail("freeze the jump table", text.Quote(m.Name), err, "")
	}
	return fd, nil
}

// jumpTableTarget fills in the table that a symbol stands for; it returns what is wrong with it, or "".
func (ref *reference) jumpTableTarget(place int64, size, section uint64) string {
	if place < 0 || place%jumpTargetSize != 0 || size == 0 || size%jumpTargetSize != 0 || size > section || uint64(place) > section-size {
		return text.Form("bytes {} to {} of section .jumptables are no table").Int64(place).Int64(place + int64(size)).String()
	}
	ref.kind, ref.offset, ref.size = toJumpTable, uint32(place), uint32(size)
	return ""
}
