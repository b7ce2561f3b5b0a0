package btf

import "github.com/pinion-bpf/pinion/internal/text"

// checkType checks a type's name, what it refers to, and the values that others rely on. The index is complete.
func (d *Data) checkType(t Type) error {
	if !d.hasString(t.word(0)) {
		return t.malformed(text.Form("its name is at {}, outside the strings").Uint(uint64(t.word(0))).String())
	}
	kind := t.Kind()
	if kind.traits()&hasRef != 0 && !d.hasType(t.word(2)) {
		return t.malformed(text.Form("{} refers to type {}, and there is none").Add(kind.String()).Uint(uint64(t.word(2))).String())
	}
	switch kind {
	case KindInt:
		return d.checkInt(t)
	case KindArray:
		if !d.hasType(t.word(3)) || !d.hasType(t.word(4)) {
			return t.malformed(text.Form("array of type {} indexed by type {}, and one is missing").
				Uint(uint64(t.word(3))).Uint(uint64(t.word(4))).String())
		}
	case KindEnum, KindEnum64:
		return d.checkEnum(t)
	case KindStruct, KindUnion, KindFuncProto:
		return d.checkElements(t)
	case KindDatasec:
		return d.checkDatasec(t)
	case KindFunc:
		if proto := d.Type(t.Ref()); proto.Kind() != KindFuncProto {
			return t.malformed(text.Form("func of type {}, which is {} and not func_proto").
				Uint(uint64(t.word(2))).Add(proto.Kind().String()).String())
		}
	}
	return nil
}

func (d *Data) hasString(off uint32) bool {
	if d.base != nil {
		return off < d.base.strLen+d.strLen
	}
	return off < d.strLen
}

func (d *Data) hasType(id uint32) bool { return uint64(id) < uint64(d.first)+uint64(len(d.index)) }

// checkInt checks an INT, and takes the size of a pointer from that of "long", as libbpf does.
func (d *Data) checkInt(t Type) error {
	size, end := t.Size(), t.IntOffset()+t.IntBits()
	if uint64(end) > 8*uint64(size) {
		return t.malformed(text.Form("int of {} bytes with {} bits at {}").
			Uint(uint64(size)).Uint(uint64(t.IntBits())).Uint(uint64(t.IntOffset())).String())
	}
	if size != 4 && size != 8 {
		return nil
	}
	for _, long := range [...]string{"long", "long int", "unsigned long", "long unsigned int", "unsigned long int"} {
		if d.isString(t.word(0), long) {
			d.ptrSize = uint8(size)
		}
	}
	return nil
}

func (d *Data) checkEnum(t Type) error {
	switch t.Size() {
	case 1, 2, 4, 8:
	default:
		return t.malformed(text.Form("{} of {} bytes").Add(t.Kind().String()).Uint(uint64(t.Size())).String())
	}
	words := 2
	if t.Kind() == KindEnum64 {
		words = 3
	}
	for i := range t.Vlen() {
		if !d.hasString(t.word(3 + words*i)) {
			return t.malformed(text.Form("the name of enumerator {} is outside the strings").Int(i).String())
		}
	}
	return nil
}

// checkElements checks members and parameters, which both begin with a name and an id.
func (d *Data) checkElements(t Type) error {
	words, what := 3, "member "
	if t.Kind() == KindFuncProto {
		words, what = 2, "parameter "
	}
	for i := range t.Vlen() {
		if !d.hasString(t.word(3 + words*i)) {
			return t.malformed(text.Form("the name of {}{} is outside the strings").Add(what).Int(i).String())
		}
		if id := t.word(4 + words*i); !d.hasType(id) {
			return t.malformed(text.Form("{}{} is of type {}, and there is none").Add(what).Int(i).Uint(uint64(id)).String())
		}
	}
	return nil
}

func (d *Data) checkDatasec(t Type) error {
	for i := range t.Vlen() {
		v := t.Var(i)
		switch k := d.Type(v.Type).Kind(); k {
		case KindVar, KindFunc:
		default:
			return t.malformed(text.Form("entry {} is type {}, which is {} and not var").Int(i).Uint(uint64(v.Type)).Add(k.String()).String())
		}
	}
	return nil
}

// malformed returns an error about the type.
//
//go:noinline
func (t Type) malformed(reason string) error { return t.data.fail(ErrFormat, t.id, t.off, reason) }
