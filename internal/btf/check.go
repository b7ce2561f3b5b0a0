package btf

// checkType checks a type's name, what it refers to, and the values that others rely on. The index is complete.
func (d *Data) checkType(t Type) error {
	if !d.hasString(t.word(0)) {
		return t.malformed("its name is at " + utoa(t.word(0)) + ", outside the strings")
	}
	kind := t.Kind()
	if kind.traits()&hasRef != 0 && !d.hasType(t.word(2)) {
		return t.malformed(kind.String() + " refers to type " + utoa(t.word(2)) + ", and there is none")
	}
	switch kind {
	case KindInt:
		return d.checkInt(t)
	case KindArray:
		if !d.hasType(t.word(3)) || !d.hasType(t.word(4)) {
			return t.malformed("array of type " + utoa(t.word(3)) + " indexed by type " + utoa(t.word(4)) + ", and one is missing")
		}
	case KindEnum, KindEnum64:
		return d.checkEnum(t)
	case KindStruct, KindUnion, KindFuncProto:
		return d.checkElements(t)
	case KindDatasec:
		return d.checkDatasec(t)
	case KindFunc:
		if proto := d.Type(t.Ref()); proto.Kind() != KindFuncProto {
			return t.malformed("func of type " + utoa(t.word(2)) + ", which is " + proto.Kind().String() + " and not func_proto")
		}
	}
	return nil
}

func (d *Data) hasString(off uint32) bool { return off < d.strLen }

func (d *Data) hasType(id uint32) bool { return uint64(id) < uint64(len(d.index)) }

// checkInt checks an INT, and takes the size of a pointer from that of "long", as libbpf does.
func (d *Data) checkInt(t Type) error {
	size, end := t.Size(), t.IntOffset()+t.IntBits()
	if uint64(end) > 8*uint64(size) {
		return t.malformed("int of " + utoa(size) + " bytes with " + utoa(t.IntBits()) + " bits at " + utoa(t.IntOffset()))
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
		return t.malformed(t.Kind().String() + " of " + utoa(t.Size()) + " bytes")
	}
	words := 2
	if t.Kind() == KindEnum64 {
		words = 3
	}
	for i := range t.Vlen() {
		if !d.hasString(t.word(3 + words*i)) {
			return t.malformed("the name of enumerator " + utoa(uint32(i)) + " is outside the strings")
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
			return t.malformed("the name of " + what + utoa(uint32(i)) + " is outside the strings")
		}
		if id := t.word(4 + words*i); !d.hasType(id) {
			return t.malformed(what + utoa(uint32(i)) + " is of type " + utoa(id) + ", and there is none")
		}
	}
	return nil
}

func (d *Data) checkDatasec(t Type) error {
	for i, v := range t.Vars() {
		switch k := d.Type(v.Type).Kind(); k {
		case KindVar, KindFunc:
		default:
			return t.malformed("entry " + utoa(uint32(i)) + " is type " + utoa(uint32(v.Type)) + ", which is " + k.String() + " and not var")
		}
	}
	return nil
}

// malformed returns an error about the type.
func (t Type) malformed(reason string) error { return t.data.fail(ErrFormat, t.id, t.off, reason) }
