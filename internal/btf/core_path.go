package btf

import (
	"github.com/pinion-bpf/pinion/internal/text"
)

// path is an access: what it begins at, and the fields and array elements that it goes through.
type path struct {
	data   *Data
	root   ID
	points [maxAccess]point
	n      int    // points
	steps  int    // of the access string: points, and anonymous members
	bits   uint64 // from the start of the root to the field
}

// point is a member that has a name, an element of an array, or, at the start of a path, which of several roots in a row; of an enumeration, the
// enumerator.
type point struct {
	typ   ID     // of a member, the struct or union; else of the element itself
	index uint32 // of the member, or of the element
	named bool   // it is a member
}

func (p *path) reset(d *Data, root ID) { p.data, p.root, p.n, p.steps, p.bits = d, root, 0, 0, 0 }

// add appends a point, if there is room.
func (p *path) add(pt point) bool {
	if p.n == maxAccess || p.steps == maxAccess {
		return false
	}
	p.points[p.n] = pt
	p.n++
	p.steps++
	return true
}

// last returns the last point; there is one in every path that leads to a field.
func (p *path) last() point { return p.points[max(p.n-1, 0)] }

// member returns the member that a point is.
func (p *path) member(pt point) Member { return p.data.Type(pt.typ).Member(int(pt.index)) }

const tooFar = "it goes through more than 64 fields and elements"

// parse makes r.from of a relocation. If that makes no sense, r.err says why.
func (r *Relocator) parse(relo CORERelo) {
	d, p := r.local, &r.from
	p.reset(d, relo.Type)
	access := r.name(d, relo.AccessOff)
	quoted := func() string { return "access " + text.Quote(access) }
	if relo.Kind >= coreKinds {
		r.fail(d, 0, text.Form("kind {} is not known").Uint(uint64(relo.Kind)).String())
		return
	}
	if !relo.Kind.isField() && !relo.Kind.isEnum() {
		if access != "0" {
			r.fail(d, 0, quoted()+" is not the 0 of a type")
		}
		return
	}
	first, rest, more := text.Cut(access, ':')
	index, ok := text.Parse(first, 10, 31)
	if !ok {
		r.fail(d, 0, quoted()+" does not begin with a number below 2147483648")
		return
	}
	t := r.resolve(d, relo.Type)
	p.add(point{typ: t.ID(), index: uint32(index)})
	if relo.Kind.isEnum() {
		if more || index >= uint64(t.count(KindEnum, KindEnum64)) {
			r.fail(d, 0, text.Form("{} is no enumerator of {}").Add(quoted()).Add(describe(t)).String())
		}
		return
	}
	r.advance(p, uint32(index), t.ID())
	for id := t.ID(); more && r.err == nil; {
		first, rest, more = text.Cut(rest, ':')
		if index, ok = text.Parse(first, 10, 31); !ok {
			r.fail(d, 0, quoted()+" is no list of numbers below 2147483648")
			return
		}
		id = r.descend(p, id, uint32(index))
	}
}

// descend adds to the object's path the indexth member or element of a type, and returns its type.
func (r *Relocator) descend(p *path, id ID, index uint32) ID {
	d := p.data
	t := r.resolve(d, id)
	if p.steps == maxAccess {
		r.fail(d, 0, tooFar)
	}
	if r.err != nil {
		return 0
	}
	switch t.Kind() {
	case KindStruct, KindUnion:
		if int64(index) >= int64(t.Vlen()) {
			r.fail(d, 0, text.Form("{} has only {} members, and none with index {}").Add(describe(t)).Int(t.Vlen()).Uint(uint64(index)).String())
			return 0
		}
		m := t.Member(int(index))
		r.step(1 + len(m.Name)/64)
		r.move(p, uint64(m.BitOffset))
		if m.Name == "" {
			p.steps++
		} else {
			p.add(point{t.ID(), index, true})
		}
		return m.Type
	case KindArray:
		a := t.Array()
		if index >= a.Count && !p.isFlexible(a) {
			r.fail(d, 0, text.Form("an array of {} elements has none with index {}").Uint(uint64(a.Count)).Uint(uint64(index)).String())
			return 0
		}
		elem := r.resolve(d, a.Elem).ID()
		p.add(point{typ: elem, index: index})
		r.advance(p, index, elem)
		return elem
	}
	r.fail(d, 0, text.Form("it goes into {}, which has no members").Add(describe(t)).String())
	return 0
}

// isFlexible tells whether the array that a path has come to is the last member of its struct, without a length.
func (p *path) isFlexible(a Array) bool {
	last := p.last()
	return a.Count == 0 && last.named && int(last.index) == p.data.Type(last.typ).Vlen()-1
}

// advance goes over so many elements of a type.
func (r *Relocator) advance(p *path, count uint32, elem ID) {
	size := r.size(p.data, elem)
	r.move(p, 8*uint64(min(uint64(count)*uint64(size), 1<<40)))
}

// move goes that many bits on.
func (r *Relocator) move(p *path, bits uint64) {
	if p.bits += bits; p.bits >= 8<<32 {
		r.fail(p.data, p.root, "it goes 4 GiB or more from the start of its type")
	}
}

// DescribeAccess says in words what a relocation asks for: "offset of struct task_struct.comm[0]", "value of enum color.RED". It reads no more than the
// relocation has, and so says something of one that makes no sense, too.
func (d *Data) DescribeAccess(relo CORERelo) string {
	r := Relocator{local: d, steps: 1 << 16}
	r.parse(relo)
	what := text.Form("{} of {}").Add(relo.Kind.String()).Add(describe(d.Type(relo.Type))).String()
	if r.err != nil {
		return text.Form("{}, access {}").Add(what).Quote(d.boundedName(relo.AccessOff)).String()
	}
	if relo.Kind.isEnum() {
		return text.Form("{}.{}").Add(what).Add(printable(r.enumerator(&r.from).Name)).String()
	}
	for i := range r.from.n {
		switch pt := r.from.points[i]; {
		case pt.named:
			what += "." + printable(r.from.member(pt).Name)
		case i > 0 || pt.index > 0:
			what += "[" + text.Number(uint64(pt.index)) + "]"
		}
	}
	return what
}

// enumerator returns what the path to an enumerator leads to.
func (r *Relocator) enumerator(p *path) Enumerator {
	return p.data.Type(p.points[0].typ).Enum(int(p.points[0].index))
}
