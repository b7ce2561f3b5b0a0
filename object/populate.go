package object

import (
	"slices"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// fillData writes the initial values of global data, and freezes what is constant. New arrays are zero, so zeros are not written.
func (l *loader) fillData() error {
	for i, m := range l.spec.Maps {
		data := l.dataOf(i)
		if data == nil || l.reused[i] || m.Type == sys.MapTypeArena { // an arena has it from the start
			continue
		}
		fd := l.maps[i].FD()
		if !isZero(data) {
			var key uint32
			err := sys.MapUpdateElem(&sys.MapElemAttr{MapFD: fd.Attr(), Key: sys.Ptr(&key), Value: sys.Slice(data)})
			if err != nil {
				return sys.Fail("write the data of map", text.Quote(m.Name), err, "")
			}
		}
		if !m.Freeze {
			continue
		}
		if err := sys.MapFreeze(&sys.MapFreezeAttr{MapFD: fd.Attr()}); err != nil {
			return sys.Fail("freeze map", text.Quote(m.Name), err, "")
		}
	}
	return nil
}

// dataOf returns what a map of global data is to hold at first, nil for other maps.
func (l *loader) dataOf(spec int) []byte {
	if len(l.kconfig) > 0 && spec == int(l.spec.source.options.spec) {
		return l.kconfig
	}
	return l.spec.Maps[spec].Data
}

func isZero(data []byte) bool { return !slices.ContainsFunc(data, func(b byte) bool { return b != 0 }) }

// fillMapSlots puts maps into the maps of maps.
func (l *loader) fillMapSlots() error {
	return l.fillSlots(false, func(name string) *sys.FD {
		return l.maps[slices.IndexFunc(l.spec.Maps, func(m *MapSpec) bool { return m.Name == name })].FD()
	})
}

// fillProgramSlots puts programs into the program arrays.
func (l *loader) fillProgramSlots() error {
	return l.fillSlots(true, func(name string) *sys.FD {
		return l.programs[slices.IndexFunc(l.spec.Programs, func(p *ProgramSpec) bool { return p.Name == name })].FD()
	})
}

// fillSlots writes the slots of program arrays, or those of maps of maps; check has seen that everything they name is there.
func (l *loader) fillSlots(programs bool, find func(name string) *sys.FD) error {
	for i, m := range l.spec.Maps {
		if (m.Type == sys.MapTypeProgArray) != programs || l.reused[i] {
			continue
		}
		for _, slot := range m.Slots {
			value := find(slot.Name).Attr()
			attr := sys.MapElemAttr{MapFD: l.maps[i].FD().Attr(), Key: sys.Ptr(&slot.Index), Value: sys.Ptr(&value)}
			if err := sys.MapUpdateElem(&attr); err != nil {
				return sys.Fail(text.Form("put {} into slot {} of map").Quote(slot.Name).Uint(uint64(slot.Index)).String(), text.Quote(m.Name), err, "")
			}
		}
	}
	return nil
}

// sameContents refuses an existing map of constants that holds others than the spec: programs would be verified with those.
func (m *MapSpec) sameContents(data []byte, have *Map) error {
	if data == nil || !m.Freeze {
		return nil
	}
	value := make([]byte, have.ValueSize())
	if err := have.Lookup(make([]byte, have.KeySize()), value); err != nil {
		return sys.Fail("read map", text.Quote(m.Name), err, "")
	}
	for i, b := range value {
		if b != data[i] {
			return &MismatchError{m.Name, []Difference{{"contents", byteAt(data[i], i), byteAt(b, i)}}}
		}
	}
	return nil
}

func byteAt(b byte, offset int) string {
	return text.Form("{} at byte {}").Uint(uint64(b)).Int(offset).String()
}
