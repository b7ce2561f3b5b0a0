package object

import (
	"slices"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// check refuses, before the kernel is asked anything, what cannot be loaded.
func (l *loader) check() error {
	s := l.spec
	if s.source == nil || len(s.Maps) != len(s.source.maps) || slices.Contains(s.Programs, nil) {
		return badSpec("it was not made by Open or Parse, or maps or programs were added or taken away")
	}
	for i, m := range s.Maps { // instructions refer to maps by their place in the list
		if m != &s.source.maps[i] {
			return badSpec(text.Form("its map {} is not {}, which the file has there: maps were added, taken away, replaced, or put in another order").
				Int(i).Quote(s.source.maps[i].Name).String())
		}
	}
	if err := s.checkByteOrder(); err != nil {
		return err
	}
	if features := s.source.featuresOfObject(); len(features) > 0 {
		return unsupported("the object needs what cannot be loaded" + listed(features))
	}
	for _, p := range s.Programs {
		if p.Autoload && p.Type == sys.ProgTypeUnspec {
			return badSpec(text.Form("the type of program {} is unknown: section {} has no meaning; set the program's Type, or turn its Autoload off").
				Quote(p.Name).Quote(p.Section).String())
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
		return badSpec(text.Form("map {} of type {} has room for 0 entries; set MaxEntries").Quote(m.Name).Add(m.Type.String()).String())
	}
	if m.Type == sys.MapTypeArena {
		return m.checkArena()
	}
	if m.Data == nil {
		return nil
	}
	if m.Type != sys.MapTypeArray || m.KeySize != 4 || m.MaxEntries != 1 {
		return badSpec(text.Form("map {} holds global data, so it must be an array of one entry with keys of 4 bytes, not {} of {} with keys of {}").
			Quote(m.Name).Add(m.Type.String()).Uint(uint64(m.MaxEntries)).Uint(uint64(m.KeySize)).String())
	}
	if uint64(len(m.Data)) != uint64(m.ValueSize) {
		return badSpec(text.Form("map {} has {} bytes of Data, but its ValueSize is {}").
			Quote(m.Name).Int(len(m.Data)).Uint(uint64(m.ValueSize)).String())
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
		return badSpec(text.Form("map {} has Slots, but it is {} with keys of {} and values of {} bytes; only program arrays and maps of maps with 4 for both have slots").
			Quote(m.Name).Add(m.Type.String()).Uint(uint64(m.KeySize)).Uint(uint64(m.ValueSize)).String())
	}
	for _, slot := range m.Slots {
		where := text.Form("slot {} of map {} names ").Uint(uint64(slot.Index)).Quote(m.Name).String()
		if !programs {
			if s.Map(slot.Name) == nil {
				return badSpec(text.Form("{}map {}, which there is not").Add(where).Quote(slot.Name).String())
			}
			continue
		}
		switch p := s.Program(slot.Name); {
		case p == nil:
			return badSpec(text.Form("{}program {}, which there is not").Add(where).Quote(slot.Name).String())
		case !p.Autoload:
			return badSpec(text.Form("{}program {}, which is not to be loaded; set its Autoload, or remove the slot").
				Add(where).Quote(slot.Name).String())
		}
	}
	return nil
}

const slotKeySize = 4 // bytes in a key of a map with slots
