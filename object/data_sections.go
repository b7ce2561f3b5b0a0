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
		b.add(sec.Name, sec, 0, sec.Size).holdData(sec, data)
	}
	return nil
}

// holdData makes m the map of one section. The flags are libbpf's: BPF_F_MMAPABLE [5.5] only if user space can name something in it.
func (m *MapSpec) holdData(sec *elf.Section, data []byte) {
	m.Type, m.KeySize, m.ValueSize, m.MaxEntries, m.Data = sys.MapTypeArray, 4, uint32(len(data)), 1, data
	if isNamed(sec.Name, ".rodata") {
		m.Flags, m.Freeze = unix.BPF_F_RDONLY_PROG, true
	}
	symbols := m.source.objectsOf(sec.Index)
	for i := range symbols {
		if isVariable(&symbols[i]) {
			m.Flags |= unix.BPF_F_MMAPABLE
		}
	}
	m.valueType = m.source.datasec(sec.Name).ID()
}

// isVariable reports whether a symbol of global data is one for users: not static, and not hidden when objects were linked.
func isVariable(symbol *elf.Symbol) bool { return symbol.Bind != elf.STB_LOCAL && !isHidden(symbol) }
