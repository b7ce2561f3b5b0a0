package btf

import (
	"github.com/pinion-bpf/pinion/internal/text"
)

// ID numbers a type within one BTF blob. 0 is void, which no blob spells out; the first type in the blob is 1.
type ID uint32

// Kind says what a type is: BTF_KIND_* of include/uapi/linux/btf.h.
type Kind uint8

// The kinds, with the kernel from which BPF_BTF_LOAD takes each. None stands for "no type": it is the kind of id 0.
const (
	KindVoid      Kind = iota // no type at all
	KindInt                   // 4.18
	KindPtr                   // 4.18
	KindArray                 // 4.18
	KindStruct                // 4.18
	KindUnion                 // 4.18
	KindEnum                  // 4.18; enumerators of 32 bits
	KindFwd                   // 4.18; a struct or (kind flag) a union that is only declared
	KindTypedef               // 4.18
	KindVolatile              // 4.18
	KindConst                 // 4.18
	KindRestrict              // 4.18
	KindFunc                  // 5.0; a named function, its type a KindFuncProto
	KindFuncProto             // 5.0
	KindVar                   // 5.2
	KindDatasec               // 5.2; an ELF section and the variables in it
	KindFloat                 // 5.13
	KindDeclTag               // 5.16
	KindTypeTag               // 5.17
	KindEnum64                // 6.0; enumerators of 64 bits
)

const kindLast = KindEnum64

// Linkages of a KindFunc (enum btf_func_linkage) and of a KindVar (BTF_VAR_*), which have the same values.
const (
	LinkageStatic uint32 = 0
	LinkageGlobal uint32 = 1
	LinkageExtern uint32 = 2
)

// Bits of [Type.IntEncoding]: BTF_INT_SIGNED and its neighbours.
const (
	IntSigned uint32 = 1 << 0
	IntChar   uint32 = 1 << 1
	IntBool   uint32 = 1 << 2
)

// String returns the kind's name as libbpf and bpftool write it, in lower case: "func_proto". A kind unknown to this package is
// "kind 20".
func (k Kind) String() string {
	names := [...]string{
		"void", "int", "ptr", "array", "struct", "union", "enum", "fwd", "typedef", "volatile", "const", "restrict",
		"func", "func_proto", "var", "datasec", "float", "decl_tag", "type_tag", "enum64",
	}
	if int(k) < len(names) {
		return names[k]
	}
	return text.Form("kind {}").Int(int(k)).String()
}

// has describes what a kind's words mean.
type has uint8

const (
	hasSize has = 1 << iota // the third word is a size in bytes
	hasRef                  // the third word is an id
)

// traits returns what the third word of a type of this kind is.
func (k Kind) traits() has {
	switch k {
	case KindInt, KindStruct, KindUnion, KindEnum, KindEnum64, KindDatasec, KindFloat:
		return hasSize
	case KindPtr, KindTypedef, KindVolatile, KindConst, KindRestrict, KindFunc, KindFuncProto, KindVar, KindDeclTag, KindTypeTag:
		return hasRef
	}
	return 0
}

// tail returns the length in bytes of what follows the three common words of a type: once, and for each of its vlen elements.
func (k Kind) tail() (once, each uint64) {
	switch k {
	case KindInt, KindVar, KindDeclTag:
		return 4, 0
	case KindArray:
		return 12, 0
	case KindEnum, KindFuncProto:
		return 0, 8
	case KindStruct, KindUnion, KindDatasec, KindEnum64:
		return 0, 12
	}
	return 0, 0
}

// isModifier tells whether a type of this kind only qualifies or renames the type it refers to.
func (k Kind) isModifier() bool {
	switch k {
	case KindTypedef, KindVolatile, KindConst, KindRestrict, KindTypeTag:
		return true
	}
	return false
}
