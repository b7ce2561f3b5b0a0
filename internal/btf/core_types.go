package btf

// matching compares types for CORETypeMatches: whether what the object knows of a type is so in the kernel.
//
//   - TYPEDEF and modifiers are skipped. What remains must have the same name, without flavor, and be of the same kind.
//   - INT: size and sign. ARRAY: number and type of the elements. PTR: what it points to.
//   - STRUCT and UNION: every member of the object's must be in the kernel's, and match; behind a pointer only kind and name count, and a declaration (FWD) will do.
//   - ENUM and ENUM64: the size, and every enumerator's name.
//   - FUNC_PROTO: parameters in number and type, and the result.
type matching struct {
	*Relocator
	target *Data
}

func (m *matching) types(id, other ID, behindPointer bool, level int) bool {
	if level <= 0 {
		m.fail(m.target, other, "types nested more than 32 deep")
	}
	for range maxDepth {
		a, b := m.resolve(m.local, id), m.resolve(m.target, other)
		if m.err != nil || !m.sameName(a.word(0), b.word(0)) {
			return false
		}
		kind := a.Kind()
		if kind == KindStruct || kind == KindUnion || kind == KindFwd {
			return m.composites(a, b, behindPointer, level)
		}
		if enumAsOne(kind) != enumAsOne(b.Kind()) {
			return false
		}
		switch kind {
		case KindVoid:
			return true
		case KindEnum, KindEnum64:
			return m.enums(a, b)
		case KindInt:
			return a.Size() == b.Size() && (a.IntEncoding()^b.IntEncoding())&IntSigned == 0
		case KindPtr:
			behindPointer = true
			id, other = a.Ref(), b.Ref()
		case KindArray:
			x, y := a.Array(), b.Array()
			if x.Count != y.Count {
				return false
			}
			id, other = x.Elem, y.Elem
		case KindFuncProto:
			if a.Vlen() != b.Vlen() {
				return false
			}
			for i := range a.Vlen() {
				if !m.types(ID(a.word(4+2*i)), ID(b.word(4+2*i)), behindPointer, level-1) {
					return false
				}
			}
			id, other = a.Ref(), b.Ref()
		default:
			return false
		}
	}
	m.fail(m.target, other, "types chained more than 32 deep")
	return false
}

// sameName compares names without flavors, by where they are in the strings of the two blobs.
func (m *matching) sameName(off, other uint32) bool {
	x, y := m.name(m.local, off), m.name(m.target, other)
	return essential(x) == essential(y)
}

// composites compares a struct, a union or the declaration of one with another of the same name.
func (m *matching) composites(a, b Type, behindPointer bool, level int) bool {
	switch {
	case behindPointer:
		return declared(a) == declared(b)
	case a.Kind() != b.Kind() || declared(a) != declared(b):
		return false
	case a.Kind() == KindFwd:
		return true
	case a.Vlen() > b.Vlen():
		return false
	}
	for i := range a.Vlen() {
		if !m.member(a, i, b, level) {
			return false
		}
	}
	return true
}

// member looks for a member of b that the ith one of a matches. Anonymous ones match in any order.
func (m *matching) member(a Type, i int, b Type, level int) bool {
	want := essential(m.name(m.local, a.word(3+3*i)))
	for j := range b.Vlen() {
		name := m.name(m.target, b.word(3+3*j))
		if m.err != nil {
			return false
		}
		if essential(name) == want && m.types(ID(a.word(4+3*i)), ID(b.word(4+3*j)), false, level-1) {
			return true
		}
	}
	return false
}

// enums looks for every enumerator of a in b, from where the last one was found, so that lists in one order take one pass.
func (m *matching) enums(a, b Type) bool {
	if a.Size() != b.Size() || a.Vlen() > b.Vlen() {
		return false
	}
	next := 0
	for i := range a.Vlen() {
		want, found := essential(m.name(m.local, a.word(3+enumWords(a)*i))), false
		for j := range b.Vlen() {
			at := (next + j) % b.Vlen()
			name := m.name(m.target, b.word(3+enumWords(b)*at))
			if m.err != nil {
				return false
			}
			if found = essential(name) == want; found {
				next = at + 1
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// enumWords is how many words an enumerator of an ENUM or ENUM64 has.
func enumWords(t Type) int {
	if t.Kind() == KindEnum64 {
		return 3
	}
	return 2
}
