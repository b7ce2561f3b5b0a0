package object

import (
	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// CopyVariables writes the values of global variables into a new build's map of global data: of those that both maps have, with the same name and type.
// The others keep what the new build gives them. Variables are found by the maps' BTF: [ErrNoCopy] if one of them has none.
//
// It reads and writes each map as a whole, so what programs write meanwhile may be lost.
func CopyVariables(from, to *Map) (CopyCount, error) {
	var count CopyCount
	was, wasSection, err := from.variables()
	if err != nil {
		return count, copyError(from, to, err, "reading the BTF of a map takes CAP_SYS_ADMIN")
	}
	is, isSection, err := to.variables()
	if err != nil {
		return count, copyError(from, to, err, "reading the BTF of a map takes CAP_SYS_ADMIN")
	}
	if was == nil || is == nil {
		return count, copyError(from, to, ErrNoCopy, "nothing tells what variables they hold: they have no BTF; let the new map begin anew")
	}
	old, value, key := make([]byte, from.ValueSize()), make([]byte, to.ValueSize()), make([]byte, to.KeySize())
	if err := from.Lookup(key, old); err != nil {
		return count, copyError(from, to, err, "")
	}
	if err := to.Lookup(key, value); err != nil {
		return count, copyError(from, to, err, "")
	}
	for _, v := range isSection.Vars() {
		place, found := findVariable(was, wasSection, is, v)
		if !found || !fitsIn(place, old) || !fitsIn(v, value) {
			count.Added++ // it has no former value
			continue
		}
		copy(value[v.Offset:v.Offset+v.Size], old[place.Offset:])
		count.Copied++
	}
	if err := to.Update(key, value, 0); err != nil {
		return count, copyError(from, to, err, "")
	}
	return count, nil
}

// variables gives the BTF of a map of global data, nil if it has none.
func (m *Map) variables() (*btf.Data, btf.Type, error) {
	if m.info.BTFID == 0 {
		return nil, btf.Type{}, nil
	}
	types, err := loadedTypes(m.info.BTFID)
	if err != nil {
		return nil, btf.Type{}, sys.Fail("read the BTF of map", text.Quote(m.name), err, "")
	}
	section := types.Type(btf.ID(m.info.BTFValueTypeID))
	if section.Kind() != btf.KindDatasec {
		return nil, btf.Type{}, nil
	}
	return types, section, nil
}

// findVariable finds the variable of the same name, size and type.
func findVariable(was *btf.Data, section btf.Type, is *btf.Data, v btf.VarSecinfo) (btf.VarSecinfo, bool) {
	for _, old := range section.Vars() {
		if old.Size == v.Size && was.Type(old.Type).Name() == is.Type(v.Type).Name() {
			return old, btf.Equal(was, old.Type, is, v.Type)
		}
	}
	return btf.VarSecinfo{}, false
}

func fitsIn(v btf.VarSecinfo, value []byte) bool {
	return uint64(v.Offset)+uint64(v.Size) <= uint64(len(value))
}
