package object

import (
	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

const (
	slotValueSize = 4 // bytes in a value of a program array or a map of maps
	pointerSize   = 8 // bytes in a pointer of BPF, and so in an element of the field "values"
)

// readSlots reads the initial values of maps: relocations of .maps, each in the field "values" of a definition.
func (s *Spec) readSlots() error {
	src := s.source
	if err := src.sortPlaces(); err != nil {
		return err
	}
	sec := src.only(roleMaps)
	if sec == nil {
		return nil
	}
	for rels := src.sections[sec.Index].relData; len(rels) > 0; rels = rels[relocationSize:] {
		rel := src.relocation(rels)
		place := src.placeOf(sec.Index, rel.Offset)
		if place == nil || rel.Offset-place.offset > place.size || place.size-(rel.Offset-place.offset) < pointerSize {
			return malformed(text.Form(`a relocation changes byte {} of section ".maps", where no map is`).Uint(rel.Offset).String())
		}
		if err := s.addSlot(s.Maps[place.index], rel, rel.Offset-place.offset); err != nil {
			return err
		}
	}
	return nil
}

// addSlot adds the value that a relocation at an offset of a map's definition stands for.
func (s *Spec) addSlot(m *MapSpec, rel elf.Relocation, offset uint64) error {
	first, found := m.valuesOffset()
	if !found || offset < first || (offset-first)%pointerSize != 0 {
		return malformed(text.Form(`map {}: a relocation changes byte {} of its definition, which is no element of a field "values"`).
			Quote(m.Name).Uint(offset).String())
	}
	symbol, err := s.source.file.Symbol(rel.Symbol)
	if err != nil {
		return err
	}
	index := (offset - first) / pointerSize
	// Static things are referred to by their section, with their place in it in the file's bytes.
	sec := s.source.only(roleMaps)
	if rel.Offset > sec.Size || sec.Size-rel.Offset < pointerSize {
		return malformed(text.Form("map {}: a relocation changes byte {} of its definition, which is beyond its section").Quote(m.Name).Uint(offset).String())
	}
	place := symbol.Value + s.source.file.Order.Uint64(sec.Data[rel.Offset:])
	if s.source.gas && symbol.Type != elf.STT_SECTION {
		place -= symbol.Value
	}
	name := s.slotTarget(m, symbol.Section, place)
	if name == "" {
		what := "a map of section \".maps\""
		if m.Type == sys.MapTypeProgArray {
			what = "a program"
		}
		return malformed(text.Form("map {}: its value {} is to be {}, which is not {}").
			Quote(m.Name).Uint(index).Quote(symbol.Name).Add(what).String())
	}
	m.Slots = append(m.Slots, Slot{Index: uint32(index), Name: name})
	return nil
}

// slotTarget returns the program or map that begins at a byte of a section, "" if that is none that the map can hold.
func (s *Spec) slotTarget(m *MapSpec, section int, place uint64) string {
	src := s.source
	if section <= 0 {
		return ""
	}
	if m.Type == sys.MapTypeProgArray {
		if f := src.functionAt(section, int64(place/insnSize)); f >= 0 && place%insnSize == 0 && src.functions[f].entry {
			return s.Programs[src.functions[f].program].Name
		}
		return ""
	}
	if i := src.mapAt(section, place); i >= 0 && src.sections[section].role == roleMaps {
		return s.Maps[i].Name
	}
	return ""
}

// valuesOffset returns where the field "values" begins in the map's definition, in bytes, and whether there is one.
func (m *MapSpec) valuesOffset() (offset uint64, found bool) {
	if m.Type != sys.MapTypeProgArray && m.Inner == nil {
		return 0, false
	}
	def := m.source.types.Type(m.defType)
	if def.Vlen() == 0 {
		return 0, false
	}
	last := def.Member(def.Vlen() - 1)
	return uint64(last.BitOffset / 8), last.Name == "values"
}
