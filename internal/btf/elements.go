package btf

import (
	"iter"
)

// Member is one member of a STRUCT or UNION: struct btf_member.
type Member struct {
	Name      string // "" if anonymous
	Type      ID
	BitOffset uint32 // from the start of the struct
	BitSize   uint32 // of a bit field; 0 for a plain member, and for a bit field of an old compiler, whose INT type has the bits
}

// Param is one parameter of a FUNC_PROTO: struct btf_param. The last may have type 0 and no name: "...".
type Param struct {
	Name string
	Type ID
}

// VarSecinfo is one entry of a DATASEC: struct btf_var_secinfo. Compilers leave the offset, and the datasec's size, 0 where only the ELF knows it.
type VarSecinfo struct {
	Type   ID     // a VAR; in .ksyms also a FUNC
	Offset uint32 // bytes into the section
	Size   uint32 // bytes
}

// Enumerator is one value of an ENUM or ENUM64.
type Enumerator struct {
	Name  string
	Value uint64 // of an ENUM, 32 bits sign-extended to 64, whatever the kind flag says, as libbpf does
}

// Members returns the members of a STRUCT or UNION in the blob's order, each with its index; nothing for other kinds.
func (t Type) Members() iter.Seq2[int, Member] {
	return func(yield func(int, Member) bool) {
		for i := range t.count(KindStruct, KindUnion) {
			if !yield(i, t.Member(i)) {
				return
			}
		}
	}
}

// Params returns the parameters of a FUNC_PROTO, each with its index; nothing for other kinds. (A FUNC's are those of its Ref.)
func (t Type) Params() iter.Seq2[int, Param] {
	return func(yield func(int, Param) bool) {
		for i := range t.count(KindFuncProto, KindFuncProto) {
			if !yield(i, Param{Name: t.data.String(t.word(3 + 2*i)), Type: ID(t.word(4 + 2*i))}) {
				return
			}
		}
	}
}

// Vars returns the entries of a DATASEC, each with its index; nothing for other kinds.
func (t Type) Vars() iter.Seq2[int, VarSecinfo] {
	return func(yield func(int, VarSecinfo) bool) {
		for i := range t.count(KindDatasec, KindDatasec) {
			if !yield(i, t.Var(i)) {
				return
			}
		}
	}
}

// Enums returns the enumerators of an ENUM or ENUM64, each with its index; nothing for other kinds.
func (t Type) Enums() iter.Seq2[int, Enumerator] {
	return func(yield func(int, Enumerator) bool) {
		for i := range t.count(KindEnum, KindEnum64) {
			if !yield(i, t.Enum(i)) {
				return
			}
		}
	}
}

// count returns the number of elements if the type is of one of the two kinds, else 0.
func (t Type) count(k1, k2 Kind) int {
	if k := t.Kind(); k != k1 && k != k2 {
		return 0
	}
	return t.Vlen()
}

// Member returns the ith member of a STRUCT or UNION that has as many. To go through them with it, from 0 to Vlen, makes less code than [Type.Members].
//
//go:noinline
func (t Type) Member(i int) Member {
	m := Member{Name: t.data.String(t.word(3 + 3*i)), Type: ID(t.word(4 + 3*i)), BitOffset: t.word(5 + 3*i)}
	if t.KindFlag() {
		m.BitSize = m.BitOffset >> 24
		m.BitOffset &= 1<<24 - 1
	}
	return m
}

// Var returns the ith entry of a DATASEC that has as many.
//
//go:noinline
func (t Type) Var(i int) VarSecinfo {
	return VarSecinfo{Type: ID(t.word(3 + 3*i)), Offset: t.word(4 + 3*i), Size: t.word(5 + 3*i)}
}

// Enum returns the ith enumerator of an ENUM or ENUM64 that has as many.
//
//go:noinline
func (t Type) Enum(i int) Enumerator {
	if t.Kind() == KindEnum {
		return Enumerator{Name: t.data.String(t.word(3 + 2*i)), Value: uint64(int32(t.word(4 + 2*i)))}
	}
	return Enumerator{
		Name:  t.data.String(t.word(3 + 3*i)),
		Value: uint64(t.word(5+3*i))<<32 | uint64(t.word(4+3*i)),
	}
}
