package object

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// types compares the BTF of keys and values, if both sides have it.
func (c *comparison) types(m *MapSpec, have *Map) error {
	info := &have.info
	if c.source == nil || c.source.types == nil || m.keyType|m.valueType == 0 || !takesBTF(m.Type) || info.BTFID == 0 {
		return nil
	}
	theirs, err := loadedTypes(info.BTFID)
	if err != nil {
		return sys.Fail("read the BTF of map", text.Quote(have.Name()), err, adviseLoad(err, "CAP_SYS_ADMIN"))
	}
	ours := c.source.types
	if m.Data != nil {
		// The types of global data are complete only as the kernel gets them.
		if ours, err = (&Spec{source: c.source}).kernelBTF(nil); err != nil {
			return err
		}
	}
	before := len(c.fields)
	compare := func(ours *btf.Data) {
		c.typesOf("key", ours, m.keyType, theirs, btf.ID(info.BTFKeyTypeID))
		c.typesOf("value", ours, m.valueType, theirs, btf.ID(info.BTFValueTypeID))
	}
	if compare(ours); len(c.fields) == before {
		return nil
	}
	// They may differ only because this kernel was given ours in older words.
	if known, lacks := knownTypes(ours); lacks != 0 {
		c.fields = c.fields[:before]
		compare(known)
	}
	return nil
}

// typesOf compares the types of keys or of values. A type that only one side has is no difference: the sizes do.
func (c *comparison) typesOf(what string, ours *btf.Data, our btf.ID, theirs *btf.Data, their btf.ID) {
	if our == 0 || their == 0 {
		return
	}
	if diff := btf.Diff(ours, our, theirs, their); diff != "" {
		c.differ("BTF of "+what, typeName(ours, our), text.Form("{} ({})").Add(typeName(theirs, their)).Add(diff).String())
	}
}

// typeName names a type for a message.
func typeName(types *btf.Data, id btf.ID) string {
	t := types.Type(id)
	s := t.Kind().String()
	if name := t.Name(); name != "" {
		s += text.Form(" {}").Quote(name).String()
	}
	return s
}

// loadedTypes returns BTF that was loaded into the kernel.
func loadedTypes(id uint32) (*btf.Data, error) {
	fd, err := sys.BTFGetFDByID(&sys.GetFDByIDAttr{StartID: id})
	if err != nil {
		return nil, err
	}
	defer fd.Close()
	var info sys.BTFInfo
	if _, err := sys.GetInfo(fd, &info); err != nil {
		return nil, err
	}
	raw := make([]byte, info.BTFSize)
	info = sys.BTFInfo{BTF: sys.Slice(raw), BTFSize: uint32(len(raw))}
	if _, err := sys.GetInfo(fd, &info); err != nil {
		return nil, err
	}
	return btf.Parse(raw)
}

// innerMap compares the first map in a map of maps with the template.
func (c *comparison) innerMap(have *Map) error {
	m := c.spec.Inner
	if m == nil || !isMapOfMaps(c.spec.Type) || !isMapOfMaps(have.Type()) {
		return nil
	}
	id, err := have.firstInner()
	if err != nil || id == 0 {
		return err
	}
	fd, err := sys.MapGetFDByID(&sys.GetFDByIDAttr{StartID: id})
	if err != nil {
		return sys.Fail("open an inner map of map", text.Quote(have.Name()), err, adviseLoad(err, "CAP_SYS_ADMIN"))
	}
	inner, err := NewMap(m.Name, fd)
	if err != nil {
		return err
	}
	defer inner.Close()
	c.prefix = "inner "
	c.attributes(m, inner)
	const innerMap = 1 << 12 // BPF_F_INNER_MAP: the number of entries may differ
	if m.Type == sys.MapTypeArray && m.Flags&innerMap == 0 {
		c.numbers("max entries", m.MaxEntries, inner.MaxEntries()) // of other types it may differ always
	}
	return c.types(m, inner)
}

// firstInner returns the id of the first map in a map of maps, 0 if it is empty.
func (m *Map) firstInner() (uint32, error) {
	var key []byte
	value, next := make([]byte, slotValueSize), make([]byte, m.KeySize())
	for range m.MaxEntries() {
		err := m.NextKey(key, next)
		if err == unix.ENOENT {
			return 0, nil
		}
		if err == nil {
			err = m.Lookup(next, value)
		}
		if err == nil {
			return nativeBig().uint32(value), nil
		}
		if err != unix.ENOENT { // an array has all keys, but not all values
			return 0, sys.Fail("read map", text.Quote(m.Name()), err, "")
		}
		key = append(key[:0], next...)
	}
	return 0, nil
}
