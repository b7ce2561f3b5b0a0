package object

import (
	"slices"

	"github.com/pinion-bpf/pinion/sys"
)

// check refuses, before the kernel is asked anything, what cannot be loaded.
func (l *loader) check() error {
	s := l.spec
	if s.source == nil || len(s.Maps) != len(s.source.maps) || slices.Contains(s.Maps, nil) || slices.Contains(s.Programs, nil) {
		return badSpec("it was not made by Open or Parse, or maps or programs were added or taken away")
	}
	if err := s.checkByteOrder(); err != nil {
		return err
	}
	if features := s.source.featuresOfObject(); len(features) > 0 {
		what := "the object needs what cannot be loaded"
		for _, f := range features {
			what += "; " + f.Kind + ": " + f.Where
		}
		return unsupported(what)
	}
	for _, p := range s.Programs {
		if p.Autoload && p.Type == sys.ProgTypeUnspec {
			return badSpec("the type of program " + quote(p.Name) + " is unknown: section " + quote(p.Section) +
				" has no meaning; set the program's Type, or turn its Autoload off")
		}
	}
	for _, m := range s.Maps {
		if err := m.check(); err != nil {
			return err
		}
		if err := s.checkSlots(m); err != nil {
			return err
		}
	}
	return nil
}

// check looks at what would make the kernel read beyond the map's data, or would be refused with no reason given.
func (m *MapSpec) check() error {
	if m.MaxEntries == 0 && !hasNoEntries(m.Type) && m.Type != sys.MapTypePerfEventArray {
		return badSpec("map " + quote(m.Name) + " of type " + m.Type.String() + " has room for 0 entries; set MaxEntries")
	}
	if m.Data == nil {
		return nil
	}
	if m.Type != sys.MapTypeArray || m.KeySize != 4 || m.MaxEntries != 1 {
		return badSpec("map " + quote(m.Name) + " holds global data, so it must be an array of one entry with keys of 4 bytes, not " +
			m.Type.String() + " of " + utoa(m.MaxEntries) + " with keys of " + utoa(m.KeySize))
	}
	if uint64(len(m.Data)) != uint64(m.ValueSize) {
		return badSpec("map " + quote(m.Name) + " has " + utoa(len(m.Data)) + " bytes of Data, but its ValueSize is " + utoa(m.ValueSize))
	}
	return nil
}

// hasNoEntries reports whether the kernel wants 0 as the number of entries, since those belong to something else.
func hasNoEntries(t sys.MapType) bool {
	switch t {
	case sys.MapTypeSKStorage, sys.MapTypeInodeStorage, sys.MapTypeTaskStorage, sys.MapTypeCgrpStorage,
		sys.MapTypeCgroupStorage, sys.MapTypePercpuCgroupStorage:
		return true
	}
	return false
}

// checkSlots looks for what each slot names.
func (s *Spec) checkSlots(m *MapSpec) error {
	if len(m.Slots) == 0 {
		return nil
	}
	programs := m.Type == sys.MapTypeProgArray
	if !programs && !isMapOfMaps(m.Type) || m.KeySize != slotKeySize || m.ValueSize != slotValueSize {
		return badSpec("map " + quote(m.Name) + " has Slots, but it is " + m.Type.String() + " with keys of " + utoa(m.KeySize) + " and values of " +
			utoa(m.ValueSize) + " bytes; only program arrays and maps of maps with 4 for both have slots")
	}
	for _, slot := range m.Slots {
		where := "slot " + utoa(slot.Index) + " of map " + quote(m.Name) + " names "
		if !programs {
			if s.Map(slot.Name) == nil {
				return badSpec(where + "map " + quote(slot.Name) + ", which there is not")
			}
			continue
		}
		switch p := s.Program(slot.Name); {
		case p == nil:
			return badSpec(where + "program " + quote(slot.Name) + ", which there is not")
		case !p.Autoload:
			return badSpec(where + "program " + quote(slot.Name) + ", which is not to be loaded; set its Autoload, or remove the slot")
		}
	}
	return nil
}

const slotKeySize = 4 // bytes in a key of a map with slots
