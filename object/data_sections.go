package object

import (
	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/sys"
	"golang.org/x/sys/unix"
)

// countDataSections returns how many sections of global data there are.
func (src *source) countDataSections() (n int) {
	for i := range src.sections {
		if src.sections[i].role == roleData {
			n++
		}
	}
	return n
}

// addData makes a map of every section of global data: an array with one entry.
func (b *mapBuilder) addData() error {
	src := b.src
	size := 0
	for i := range src.sections {
		if src.sections[i].role == roleData {
			size += int(src.file.Sections[i].Size) // readSections has checked the sum
		}
	}
	room := make([]byte, size)
	for i := range src.sections {
		if src.sections[i].role != roleData {
			continue
		}
		sec := &src.file.Sections[i]
		n := int(sec.Size)
		data := room[:n:n]
		room = room[n:]
		copy(data, sec.Data)
		src.sections[i].dataMap = int32(len(b.specs))
		b.add(src.dataMap(sec, data), i, 0, sec.Size)
	}
	return nil
}

// dataMap returns the map of one section. The flags are libbpf's: BPF_F_MMAPABLE [5.5] only if user space can name something in it.
func (src *source) dataMap(sec *elf.Section, data []byte) MapSpec {
	m := MapSpec{
		Name:       sec.Name,
		Section:    sec.Name,
		Type:       sys.MapTypeArray,
		KeySize:    4,
		ValueSize:  uint32(len(data)),
		MaxEntries: 1,
		Data:       data,
	}
	if isNamed(sec.Name, ".rodata") {
		m.Flags, m.Freeze = unix.BPF_F_RDONLY_PROG, true
	}
	for _, symbol := range src.objectsOf(sec.Index) {
		if isVariable(&symbol) {
			m.Flags |= unix.BPF_F_MMAPABLE
			break
		}
	}
	m.valueType = src.datasec(sec.Name).ID()
	return m
}

// isVariable reports whether a symbol of global data is one for users: not static, and not hidden when objects were linked.
func isVariable(symbol *elf.Symbol) bool { return symbol.Bind != elf.STB_LOCAL && !isHidden(symbol) }
