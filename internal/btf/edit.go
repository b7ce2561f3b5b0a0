package btf

import (
	"encoding/binary"

	"github.com/pinion-bpf/pinion/internal/text"
)

// SetDatasecSize sets the size in bytes of a DATASEC. Like every edit it works on a [Data.Copy] only; otherwise, or if the type is of another kind, it
// changes nothing and the error wraps [ErrEdit].
func (d *Data) SetDatasecSize(id ID, size uint32) error {
	t, err := d.edit(id, KindDatasec)
	if err != nil {
		return err
	}
	d.put(t, 2, size)
	return nil
}

// SetVarSecinfo sets the offset and size in bytes of the ith entry of a DATASEC. The entry must exist; for the rest see [Data.SetDatasecSize].
func (d *Data) SetVarSecinfo(id ID, i int, offset, size uint32) error {
	t, err := d.edit(id, KindDatasec)
	if err != nil {
		return err
	}
	if i < 0 || i >= t.Vlen() {
		return d.fail(ErrEdit, id, t.off, text.Form("the datasec has only {} entries").Int(t.Vlen()).String())
	}
	d.put(t, 4+3*i, offset)
	d.put(t, 5+3*i, size)
	return nil
}

// SetFuncLinkage sets the linkage of a FUNC: [LinkageStatic], [LinkageGlobal] or [LinkageExtern]. For errors see [Data.SetDatasecSize].
func (d *Data) SetFuncLinkage(id ID, linkage uint32) error {
	t, err := d.editLinkage(id, KindFunc, linkage)
	if err != nil {
		return err
	}
	d.put(t, 1, t.word(1)&^vlenMask|linkage)
	return nil
}

// SetVarLinkage sets the linkage of a VAR: [LinkageStatic], [LinkageGlobal] or [LinkageExtern]. For errors see [Data.SetDatasecSize].
func (d *Data) SetVarLinkage(id ID, linkage uint32) error {
	t, err := d.editLinkage(id, KindVar, linkage)
	if err != nil {
		return err
	}
	d.put(t, 3, linkage)
	return nil
}

// edit returns the type if it may be edited and is of that kind.
func (d *Data) edit(id ID, kind Kind) (Type, error) {
	t := d.Type(id)
	switch {
	case !d.editable:
		// The blob is the caller's, and may be a mapping that cannot be written.
		return t, d.fail(ErrEdit, id, t.off, "not a Copy")
	case t.Kind() != kind:
		return t, d.fail(ErrEdit, id, t.off, text.Form("it is {}, not {}").Add(t.Kind().String()).Add(kind.String()).String())
	}
	return t, nil
}

func (d *Data) editLinkage(id ID, kind Kind, linkage uint32) (Type, error) {
	t, err := d.edit(id, kind)
	if err == nil && linkage > LinkageExtern {
		err = d.fail(ErrEdit, id, t.off, text.Form("linkage {} is none of static, global and extern").Uint(uint64(linkage)).String())
	}
	return t, err
}

// put writes the nth word of the type.
//
//go:noinline
func (d *Data) put(t Type, n int, value uint32) {
	b := d.raw[t.off+4*uint32(n):]
	if d.big {
		binary.BigEndian.PutUint32(b, value)
		return
	}
	binary.LittleEndian.PutUint32(b, value)
}
