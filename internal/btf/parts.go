package btf

// Parts is a set of what BTF may have and older kernels do not know.
type Parts uint32

// The parts, with the kernel from which BPF_BTF_LOAD takes each. Older ones refuse the whole blob with EINVAL, for a layout section with E2BIG.
const (
	PartFloat      Parts = 1 << iota // 5.13: KindFloat
	PartDeclTag                      // 5.16: KindDeclTag
	PartTypeTag                      // 5.17: KindTypeTag
	PartSignedEnum                   // 6.0: the kind flag of KindEnum
	PartEnum64                       // 6.0: KindEnum64
	PartOptional                     // 6.9: names of sections that begin with "?"
	PartAttribute                    // 6.15: the kind flag of KindDeclTag and KindTypeTag
	PartLayout                       // 7.x: a header of more than 24 bytes
)

// placeholder is the name of the type that libbpf gives the members of what had 64-bit enumerators; so the two are equal for [Diff].
const placeholder = "enum64_placeholder"

// Parts tells which of them the blob has.
func (d *Data) Parts() (all Parts) {
	if len(d.raw) > 0 && d.u32(4) > headerLength {
		all = PartLayout
	}
	for id := d.first; id < uint32(d.Len()); id++ {
		all |= d.partsOf(d.Type(ID(id)))
	}
	return all
}

// partsOf tells which parts a type is.
func (d *Data) partsOf(t Type) Parts {
	switch t.Kind() {
	case KindFloat:
		return PartFloat
	case KindDeclTag:
		return PartDeclTag | flagged(t, PartAttribute)
	case KindTypeTag:
		return PartTypeTag | flagged(t, PartAttribute)
	case KindEnum:
		return flagged(t, PartSignedEnum)
	case KindEnum64:
		return PartEnum64
	case KindDatasec:
		if name := d.tailOf(t.word(0)); len(name) > 0 && name[0] == '?' {
			return PartOptional
		}
	}
	return 0
}

func flagged(t Type, part Parts) Parts {
	if t.KindFlag() {
		return part
	}
	return 0
}

// Without returns a copy for a kernel that does not know some parts, which says as much of the same in older words, as libbpf does
// (bpf_object__sanitize_btf): ids and sizes stay as they are. A FLOAT becomes a STRUCT without members, a declaration tag an INT that nothing refers to, a
// type tag a CONST, an ENUM64 a UNION of its enumerators' names, the kind flag of an ENUM and the "?" of a section's name are lost. A layout section is
// always left out. The kernel needs none of them to verify a program. Split BTF is not for this.
func (d *Data) Without(lacks Parts) (*Data, error) {
	if d.base != nil {
		return nil, d.fail(ErrEdit, 0, 0, "it is split")
	}
	strs, types := string(d.raw[d.strOff:][:d.strLen]), d.types()
	var words []uint32
	if d.Parts()&lacks&PartEnum64 != 0 {
		words = []uint32{d.strLen, uint32(KindInt) << kindShift, 1, 8}
		strs += placeholder + "\x00"
	}
	c, err := Parse(write(d.big, types, words, strs))
	if err != nil {
		return nil, err
	}
	c.editable = true
	for id := range d.Len() {
		if t := c.Type(ID(id)); c.partsOf(t)&lacks != 0 {
			c.replace(&t, ID(d.Len()))
		}
	}
	return c, nil
}

// types returns the bytes of all types, which are not split.
func (d *Data) types() []byte {
	last := len(d.index) - 1
	if last <= 0 {
		return nil
	}
	t := Type{data: d, off: d.index[last]}
	once, each := t.Kind().tail()
	return d.raw[d.index[1]:][:uint64(t.off-d.index[1])+commonLength+once+each*uint64(t.Vlen())]
}

// WithVars returns a copy in which a DATASEC has other entries, as many as it had or fewer. Ids stay as they are. For errors see [Data.SetDatasecSize]; split BTF
// is not for this.
func (d *Data) WithVars(id ID, vars []VarSecinfo) (*Data, error) {
	t, types := d.Type(id), d.types()
	had := t.Vlen()
	if d.base != nil || t.Kind() != KindDatasec || len(vars) > had {
		return nil, d.fail(ErrEdit, id, t.off, "it is no datasec with as many entries, or is split")
	}
	rest := int(t.off-d.index[1]) + commonLength + 12*len(vars)
	types = append(append(make([]byte, 0, len(types)), types[:rest]...), types[rest+12*(had-len(vars)):]...)
	raw := &Data{raw: write(d.big, types, nil, string(d.raw[d.strOff:][:d.strLen])), big: d.big}
	at := Type{off: headerLength + t.off - d.index[1]}
	raw.put(at, 1, t.word(1)&^vlenMask|uint32(len(vars)))
	for i, v := range vars {
		raw.put(at, 3+3*i, uint32(v.Type))
		raw.put(at, 4+3*i, v.Offset)
		raw.put(at, 5+3*i, v.Size)
	}
	c, err := Parse(raw.raw)
	if err != nil {
		return nil, err
	}
	c.editable = true
	return c, nil
}

// replace says in older words what a type is. inner is the placeholder.
func (d *Data) replace(t *Type, inner ID) {
	info, kind := t.word(1), Kind(0)
	if _, each := t.Kind().tail(); each == 0 {
		info = 0 // it has no elements, whatever it says
	}
	switch t.Kind() {
	case KindFloat:
		kind = KindStruct
		d.put(*t, 0, 0)
	case KindTypeTag:
		kind = KindConst
		d.put(*t, 0, 0)
	case KindDeclTag:
		kind = KindInt
		d.put(*t, 2, 1) // byte
		d.put(*t, 3, 8) // bits
	case KindEnum:
		kind = KindEnum
	case KindEnum64:
		kind = KindUnion
		for i := range t.Vlen() {
			d.put(*t, 4+3*i, uint32(inner))
			d.put(*t, 5+3*i, 0)
		}
	case KindDatasec:
		kind = KindDatasec
		d.tailOf(t.word(0))[0] = '_'
	}
	d.put(*t, 1, uint32(kind)<<kindShift|info&vlenMask)
}

// Probe returns the smallest BTF, in the byte order of d, that has a part, for asking the kernel whether it knows that. PartLayout has none: nil.
func (d *Data) Probe(part Parts) []byte {
	// Type 1 is an INT, type 2 a VAR of it. What comes then is what matters. The string at 1 is "x", that at 2 "?x".
	const first, integer, variable, third = 1, uint32(KindInt) << kindShift, uint32(KindVar) << kindShift, 8
	const typeTag, pointer = uint32(KindTypeTag) << kindShift, uint32(KindPtr) << kindShift
	words, n := [third + 6]uint32{first, integer, 4, 32, first, variable, 1, 0, first}, third
	put := func(all ...uint32) { n += 1 + copy(words[third+1:], all) }
	switch part {
	case PartFloat:
		put(uint32(KindFloat)<<kindShift, 4)
	case PartDeclTag:
		put(uint32(KindDeclTag)<<kindShift, 2, 1<<32-1)
	case PartTypeTag:
		put(typeTag, 1, 0, pointer, 3)
	case PartAttribute:
		put(typeTag|kindFlagBit, 1, 0, pointer, 3)
	case PartSignedEnum:
		put(uint32(KindEnum)<<kindShift|kindFlagBit|1, 4, 1, 0)
	case PartEnum64:
		put(uint32(KindEnum64)<<kindShift|1, 8, 1, 0, 0)
	case PartOptional:
		words[third] = 3
		put(uint32(KindDatasec)<<kindShift|1, 4, 2, 0, 4)
	default:
		return nil
	}
	return write(d.big, nil, words[:n], "\x00x\x00?x\x00")
}

// write makes a blob of types, more types, and strings.
func write(big bool, types []byte, more []uint32, strs string) []byte {
	length := len(types) + 4*len(more)
	d := Data{raw: make([]byte, headerLength+length+len(strs)), big: big}
	put := func(word int, value uint32) { d.put(Type{}, word, value) }
	prefix := uint32(magic | version<<16)
	if big {
		prefix = magic<<16 | version<<8
	}
	for i, w := range [...]uint32{prefix, headerLength, 0, uint32(length), uint32(length), uint32(len(strs))} {
		put(i, w)
	}
	copy(d.raw[headerLength:], types)
	for i, w := range more {
		put((headerLength+len(types))/4+i, w)
	}
	copy(d.raw[headerLength+length:], strs)
	return d.raw
}
