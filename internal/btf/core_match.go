package btf

// match makes r.to of a candidate that has what r.from leads to, and tells whether it has. Where libbpf gives up, r.err says so.
func (r *Relocator) match(kind COREKind, c candidate) bool {
	r.to.reset(c.data, c.id)
	switch {
	case kind == CORETypeMatches:
		m := matching{r, c.data}
		return m.types(r.from.root, c.id, false, maxDepth)
	case kind.isEnum():
		return r.matchEnumerator(c)
	case kind.isField():
		return r.matchField(c)
	}
	return r.areCompatible(r.from.root, c.data, c.id, maxDepth)
}

func (r *Relocator) matchEnumerator(c candidate) bool {
	want := essential(r.enumerator(&r.from).Name)
	t := r.resolve(c.data, c.id)
	for i := range t.count(KindEnum, KindEnum64) {
		name := r.name(c.data, t.word(3+enumWords(t)*i))
		if r.err != nil {
			return false
		}
		if essential(name) == want {
			return r.to.add(point{typ: t.ID(), index: uint32(i)})
		}
	}
	return false
}

// matchField follows the points of r.from in the candidate: members by their names, elements by their indices.
func (r *Relocator) matchField(c candidate) bool {
	d, id, to := c.data, c.id, &r.to
	for i := range r.from.n {
		pt := r.from.points[i]
		if pt.named {
			want := r.from.member(pt)
			next, found := r.matchMember(want, id)
			if !r.step(1+len(want.Name)/64) || !found {
				return false
			}
			id = next
			continue
		}
		elem := r.resolve(d, id)
		if i > 0 { // the first one is already of the type itself
			if elem.Kind() != KindArray {
				return false
			}
			a := elem.Array()
			if pt.index >= a.Count && !to.isFlexible(a) {
				return false
			}
			elem = r.resolve(d, a.Elem)
		}
		if r.err != nil {
			return false
		}
		id = elem.ID()
		if !to.add(point{typ: id, index: pt.index}) {
			r.fail(d, c.id, tooFar)
			return false
		}
		r.advance(to, pt.index, id)
	}
	return r.err == nil
}

// matchMember looks for a member of that name in a struct or union of the kernel, and in its anonymous members, adds it to r.to, and returns
// its type.
func (r *Relocator) matchMember(want Member, id ID) (next ID, found bool) {
	d, to := r.to.data, &r.to
	t := r.resolve(d, id)
	for i := range t.count(KindStruct, KindUnion) {
		if !r.step(1 + len(want.Name)/64) {
			return 0, false
		}
		name := t.word(3 + 3*i)
		anonymous := t.data.isString(name, "")
		if !anonymous && !t.data.isString(name, want.Name) {
			continue
		}
		if to.steps == maxAccess {
			r.fail(d, id, tooFar)
			return 0, false
		}
		m := t.Member(i)
		before := to.bits
		r.move(to, uint64(m.BitOffset))
		if !anonymous {
			if !r.areFieldsCompatible(want.Type, d, m.Type) {
				to.bits = before
				return 0, false
			}
			to.add(point{t.ID(), uint32(i), true})
			return m.Type, true
		}
		to.steps++
		if next, found = r.matchMember(want, m.Type); found {
			return next, true
		}
		to.steps--
		to.bits = before
	}
	return 0, false
}

// areFieldsCompatible tells whether a field may be read where another was meant: two structs or unions, two numbers, whatever their size and sign, two
// pointers, two enumerations or declarations of one name or none, and arrays of such.
func (r *Relocator) areFieldsCompatible(id ID, d *Data, other ID) bool {
	for range maxDepth {
		a, b := r.resolve(r.local, id), r.resolve(d, other)
		ka, kb := enumAsOne(a.Kind()), enumAsOne(b.Kind())
		switch composite := (ka == KindStruct || ka == KindUnion) && (kb == KindStruct || kb == KindUnion); {
		case r.err != nil:
			return false
		case composite:
			return true
		case ka != kb:
			return false
		}
		switch ka {
		case KindPtr, KindFloat:
			return true
		case KindInt:
			return a.IntOffset() == 0 && b.IntOffset() == 0 // others are bit fields of old compilers
		case KindEnum, KindFwd:
			x, y := essential(r.name(r.local, a.word(0))), essential(r.name(d, b.word(0)))
			return x == "" || y == "" || x == y
		case KindArray:
			id, other = a.Array().Elem, b.Array().Elem
		default:
			return false
		}
	}
	r.fail(d, other, "arrays nested more than 32 deep")
	return false
}

// areCompatible tells whether a type exists in the kernel: one of its kind, where pointers, arrays and functions are of types that exist. Names have
// been compared; what structs hold is not looked at.
func (r *Relocator) areCompatible(id ID, d *Data, other ID, level int) bool {
	if enumAsOne(r.local.Type(id).Kind()) != enumAsOne(d.Type(other).Kind()) {
		return false
	}
	for range maxDepth {
		a, b := r.resolve(r.local, id), r.resolve(d, other)
		kind := enumAsOne(a.Kind())
		if r.err != nil || kind != enumAsOne(b.Kind()) {
			return false
		}
		switch kind {
		case KindVoid, KindStruct, KindUnion, KindEnum, KindFwd:
			return true
		case KindInt:
			return a.IntOffset() == 0 && b.IntOffset() == 0
		case KindPtr:
			id, other = a.Ref(), b.Ref()
		case KindArray:
			id, other = a.Array().Elem, b.Array().Elem
		case KindFuncProto:
			if !r.areParamsCompatible(a, d, b, level) {
				return false
			}
			// As libbpf does: modifiers of parameters and results do not count.
			id, other = r.resolve(r.local, a.Ref()).ID(), r.resolve(d, b.Ref()).ID()
		default:
			return false
		}
	}
	r.fail(d, other, "types chained more than 32 deep")
	return false
}

func (r *Relocator) areParamsCompatible(a Type, d *Data, b Type, level int) bool {
	if a.Vlen() != b.Vlen() {
		return false
	}
	if level <= 0 && a.Vlen() > 0 {
		r.fail(d, b.ID(), "functions that take functions more than 32 deep")
		return false
	}
	for i := range a.Vlen() {
		pa, pb := r.resolve(r.local, ID(a.word(4+2*i))), r.resolve(d, ID(b.word(4+2*i)))
		if r.err != nil || !r.areCompatible(pa.ID(), d, pb.ID(), level-1) {
			return false
		}
	}
	return true
}
