package btf

// Type is a view of one type: small, copied freely, comparable, and good for as long as its [Data]. The zero Type is void. A method
// that asks for what the type's kind does not have returns 0 (or what its comment says), never panics.
type Type struct {
	data *Data
	id   ID
	off  uint32
}

// The info word of struct btf_type, with the masks of the newest kernels: vlen in bits 0 to 23, the kind in bits 24 to 30, the kind
// flag in bit 31. Older kernels refuse BTF that has a bit of 16 to 23 or of 29 to 30 set.
const (
	vlenMask     = 1<<24 - 1
	kindMask     = 1<<7 - 1
	kindShift    = 24
	kindFlagBit  = 1 << 31
	commonLength = 12 // struct btf_type: name_off, info, size_or_type
)

// word returns the nth 32-bit word of the type, counted from its start.
//
//go:noinline
func (t Type) word(n int) uint32 {
	if t.data == nil {
		return 0
	}
	return t.data.u32(t.off + 4*uint32(n))
}

// ID returns the type's id.
func (t Type) ID() ID { return t.id }

// Kind returns what the type is.
//
//go:noinline
func (t Type) Kind() Kind { return Kind(t.word(1) >> kindShift & kindMask) }

// Name returns the type's name, "" for an anonymous type. For a DATASEC it is the section's name, for a tag the tag's text. See [Parse] for how
// long it is good.
func (t Type) Name() string {
	if t.data == nil {
		return ""
	}
	return t.data.String(t.word(0))
}

// Vlen returns the low 24 bits of the info word: the number of members, parameters, variables or enumerators. In a FUNC they are
// its linkage, elsewhere they mean nothing.
//
//go:noinline
func (t Type) Vlen() int { return int(t.word(1) & vlenMask) }

// KindFlag returns bit 31 of the info word. In a STRUCT or UNION it says that members carry bit-field sizes ([Type.Members] has
// them decoded), in an ENUM or ENUM64 that values are signed, in a FWD that a union is declared, in a DECL_TAG or TYPE_TAG that the tag
// is an attribute.
func (t Type) KindFlag() bool { return t.word(1)&kindFlagBit != 0 }

// Size returns the size in bytes of an INT, STRUCT, UNION, ENUM, ENUM64, DATASEC or FLOAT as the blob has it, 0 for other kinds. [Data.SizeOf]
// works out the size of any type.
func (t Type) Size() uint32 {
	if t.Kind().traits()&hasSize == 0 {
		return 0
	}
	return t.word(2)
}

// Ref returns the type that a PTR, TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC, VAR, DECL_TAG or TYPE_TAG refers to, and what a FUNC_PROTO
// returns. For other kinds it is 0; for the element of an ARRAY see [Type.Array].
func (t Type) Ref() ID {
	if t.Kind().traits()&hasRef == 0 {
		return 0
	}
	return ID(t.word(2))
}

// Linkage returns the linkage of a FUNC or a VAR: [LinkageStatic], [LinkageGlobal] or [LinkageExtern]; 0 for other kinds.
func (t Type) Linkage() uint32 {
	switch t.Kind() {
	case KindFunc:
		return uint32(t.Vlen())
	case KindVar:
		return t.word(3)
	}
	return 0
}

// intWord returns the word that only an INT has.
//
//go:noinline
func (t Type) intWord() uint32 {
	if t.Kind() != KindInt {
		return 0
	}
	return t.word(3)
}

// IntEncoding returns the encoding of an INT: [IntSigned], [IntChar] and [IntBool], or 0.
func (t Type) IntEncoding() uint32 { return t.intWord() >> 24 & 0xf }

// IntBits returns how many bits of an INT's Size carry its value.
func (t Type) IntBits() uint32 { return t.intWord() & 0xff }

// IntOffset returns how many bits into an INT its value begins; not 0 only in bit fields written by old compilers.
func (t Type) IntOffset() uint32 { return t.intWord() >> 16 & 0xff }

// Array describes an ARRAY: struct btf_array.
type Array struct {
	Elem, Index ID
	Count       uint32 // elements; 0 for a flexible array
}

// Array returns what an ARRAY is made of, the zero Array for other kinds.
func (t Type) Array() Array {
	if t.Kind() != KindArray {
		return Array{}
	}
	return Array{Elem: ID(t.word(3)), Index: ID(t.word(4)), Count: t.word(5)}
}

// ComponentIndex returns which member or parameter of Ref a DECL_TAG tags, from 0; -1 if it tags the whole of it, and for other kinds.
func (t Type) ComponentIndex() int32 {
	if t.Kind() != KindDeclTag {
		return -1
	}
	return int32(t.word(3))
}
