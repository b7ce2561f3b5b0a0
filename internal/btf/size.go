package btf

import (
	"math/bits"
)

// maxDepth bounds every walk from type to type. The kernel refuses chains longer than this: MAX_RESOLVE_DEPTH of kernel/bpf/btf.c.
const maxDepth = 32

// Resolve follows TYPEDEF, CONST, VOLATILE, RESTRICT and TYPE_TAG from id to the first type that is none of them. After 32 of them, which
// only a cycle or a forgery has, it gives up and returns void.
func (d *Data) Resolve(id ID) Type {
	t, _ := d.resolve(id)
	return t
}

// resolve is Resolve that tells giving up from void.
func (d *Data) resolve(id ID) (Type, bool) {
	for range maxDepth {
		t := d.Type(id)
		if !t.Kind().isModifier() {
			return t, true
		}
		id = t.Ref()
	}
	return Type{}, false
}

// SizeOf returns the size of a type in bytes, as libbpf's btf__resolve_size does: through modifiers, variables and declaration tags, arrays
// multiplied out, a flexible array 0. A pointer has the size of "long" in this blob, 8 if it has none. The error is an [*Error] that wraps [ErrNoSize]: void, a
// FWD and functions have no size, nor does a type that is reached through more than 32 others or whose size needs more than 32 bits.
func (d *Data) SizeOf(id ID) (uint32, error) {
	start, count := d.Type(id), uint32(1)
	noSize := func(reason string) (uint32, error) { return 0, d.fail(ErrNoSize, start.id, start.off, reason) }
	for range maxDepth {
		t, size := d.Type(id), uint32(0)
		switch kind := t.Kind(); {
		case kind == KindPtr:
			size = uint32(d.ptrSize)
		case kind.traits()&hasSize != 0:
			size = t.Size()
		case kind.isModifier() || kind == KindVar || kind == KindDeclTag:
			id = t.Ref()
			continue
		case kind == KindArray:
			a := t.Array()
			hi, lo := bits.Mul32(count, a.Count)
			if hi != 0 {
				return noSize("4 GiB or more")
			}
			count, id = lo, a.Elem
			continue
		default:
			return noSize(kind.String() + " has none")
		}
		hi, lo := bits.Mul32(count, size)
		if hi != 0 {
			return noSize("4 GiB or more")
		}
		return lo, nil
	}
	return noSize("it lies behind more than 32 other types")
}
