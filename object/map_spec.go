package object

import (
	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/order"
	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// Values of [MapSpec.Pinning]: enum libbpf_pin_type of bpf_helpers.h.
const (
	PinNone   = 0 // the map is not to be pinned
	PinByName = 1 // LIBBPF_PIN_BY_NAME: the map is to be pinned, and a pin of its name to be reused
)

// MapSpec is a map as the object defines it. All but Name and Section may be changed before the Spec is loaded. Sizes are in bytes.
type MapSpec struct {
	// Name as the file has it in full, such as ".rodata.cfg"; the kernel is told the first 15 bytes.
	Name string
	// Section of the definition: ".maps", "maps" or "maps/..."; of global data, the section with the data.
	Section string
	// Type, and what else BPF_MAP_CREATE is given. MaxEntries may be 0 where the loader knows better: a perf event array gets one
	// entry for each possible CPU.
	Type       sys.MapType
	KeySize    uint32
	ValueSize  uint32
	MaxEntries uint32
	Flags      uint32
	NUMANode   uint32 // with BPF_F_NUMA_NODE in Flags
	Extra      uint64 // map_extra [5.16]
	// Pinning is the value in the definition: PinNone, PinByName, or another that means nothing to a loader (see PinIgnored).
	Pinning uint32
	// Inner is the template of the maps in a map of maps, nil for other maps, and where the definition gives none.
	Inner *MapSpec
	// Slots are the values that the map is to have from the start, by index.
	Slots []Slot
	// Data is what a map of global data holds at first, a copy that may be edited; nil for other maps. Its length must stay ValueSize; of an arena with global data (section
	// .addr_space.1) it is what the arena begins with. Of the map ".kconfig" it is not looked at: what
	// that holds is found when it is loaded.
	Data []byte
	// Freeze says that the map is not to be changed from user space once it has its data (BPF_MAP_FREEZE [5.2]): .rodata.
	Freeze bool

	source    *source
	keyType   btf.ID // of the keys, 0 if the definition gives a size only
	valueType btf.ID // of the values; of global data, its DATASEC
	defType   btf.ID // the STRUCT that is the definition in .maps, else 0
}

// Slot is one initial value of a program array or of a map of maps.
type Slot struct {
	Index uint32 // the key
	Name  string // of a program, for a program array; else of a map
}

// PinIgnored reports whether the definition asks for a kind of pinning that does not exist. Such a map is loaded unpinned.
func (m *MapSpec) PinIgnored() bool { return m.Pinning != PinNone && m.Pinning != PinByName }

// dropRecordTypes takes away the types and sizes that definitions of buffers have to say what records look like, which tools make types of (bpf2go): the kernel
// wants none, but those of the descriptors in a perf event array.
func (m *MapSpec) dropRecordTypes() {
	switch m.Type {
	case sys.MapTypeRingbuf, sys.MapTypeUserRingbuf:
		m.KeySize, m.ValueSize, m.keyType, m.valueType = 0, 0, 0, 0
	case sys.MapTypePerfEventArray:
		m.KeySize, m.ValueSize, m.keyType, m.valueType = 4, 4, 0, 0
	}
}

func isMapOfMaps(t sys.MapType) bool {
	return t == sys.MapTypeArrayOfMaps || t == sys.MapTypeHashOfMaps
}

// mapPlace tells which map is defined where.
type mapPlace struct {
	section int32
	index   int32 // in Spec.Maps
	offset  uint64
	size    uint64 // of the definition, in bytes
}

// mapBuilder collects maps of all kinds. specs has room for all of them from the start, so none ever moves.
type mapBuilder struct {
	src   *source
	specs []MapSpec
}

// add makes a map that is defined at a place, for its definition to be read into.
//
//go:noinline
func (b *mapBuilder) add(name string, sec *elf.Section, offset, size uint64) *MapSpec {
	b.src.places = append(b.src.places, mapPlace{int32(sec.Index), int32(len(b.specs)), offset, size})
	b.specs = b.specs[:len(b.specs)+1]
	m := &b.specs[len(b.specs)-1]
	m.Name, m.Section, m.source = name, sec.Name, b.src
	return m
}

// sortPlaces puts the places in order, as mapAt needs them.
func (src *source) sortPlaces() error {
	before := func(a, b int) bool {
		p, q := &src.places[a], &src.places[b]
		return p.section < q.section || p.section == q.section && p.offset < q.offset
	}
	if !order.InOrder(len(src.places), before) {
		src.placeOrder = order.Indices(len(src.places), before)
	}
	for i := 1; i < len(src.places); i++ {
		a, b := src.place(i-1), src.place(i)
		if a.section == b.section && b.offset-a.offset < a.size {
			return malformed(text.Form("two maps are defined at byte {} of section {}").
				Uint(b.offset).Quote(src.file.Sections[a.section].Name).String())
		}
	}
	return nil
}

// placeOf returns the last place in a section that does not begin after offset, nil if there is none.
func (src *source) placeOf(section int, offset uint64) *mapPlace {
	after := order.First(len(src.places), func(i int) bool {
		p := src.place(i)
		return int(p.section) > section || int(p.section) == section && p.offset > offset
	})
	if after == 0 || int(src.place(after-1).section) != section {
		return nil
	}
	return src.place(after - 1)
}

// place returns the ith place in order.
func (src *source) place(i int) *mapPlace {
	if src.placeOrder != nil {
		i = int(src.placeOrder[i])
	}
	return &src.places[i]
}

// mapAt returns the index of the map that is defined at an offset of a section, -1 if none is.
func (src *source) mapAt(section int, offset uint64) int {
	p := src.placeOf(section, offset)
	if p == nil || p.offset != offset {
		return -1
	}
	return int(p.index)
}
