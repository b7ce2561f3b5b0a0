package btf

import "github.com/pinion-bpf/pinion/internal/text"

// maxSteps bounds how much one comparison looks at: a million members, enumerators and types. The largest structs of the kernel need some thousands.
const maxSteps = 1 << 20

// Equal tells whether two types have the same layout and mean the same by it, so that bytes written as one can be read as the other: whether a
// pinned map's keys and values fit a program's. It is true where [Diff], which states the rule, finds no difference.
func Equal(a *Data, ai ID, b *Data, bi ID) bool { return Diff(a, ai, b, bi) == "" }

// Diff returns the first difference between two types in words, a's side first, as in
//
//	member "ttl" of struct flow: offset 64, not 96 bits
//
// and "" if they are equal. The rule:
//
//   - TYPEDEF, CONST, VOLATILE, RESTRICT and TYPE_TAG are skipped wherever they stand. What remains must be of the same kind.
//   - INT and FLOAT: size, bits, bit offset and encoding must agree. The name need not: long and long long are one layout.
//   - STRUCT and UNION: the names must agree, and each member, in order, in name, bit offset, bit-field size and type; then the number of members and the size.
//   - ENUM and ENUM64: name and size must agree, and an enumerator that both have must have one value. Either may have enumerators of its own.
//   - ARRAY: the number of elements and their type. The type of the index is not looked at.
//   - PTR: kind and name of what is pointed to, after skipping as above, and no deeper. A FWD is the struct or union that it declares.
//   - VAR: name and type. DATASEC: name, and each entry, in order, in offset, size and type; then the number of entries and the size.
//   - FWD, FUNC, DECL_TAG: kind and name. Void and FUNC_PROTO: the kind. An id that no type has is void.
//
// Types nested or chained more than 32 deep, or that take more than a million steps to compare, are different. Byte order is no part of the
// comparison; who compares values from two machines compares [Data.Order] too.
func Diff(a *Data, ai ID, b *Data, bi ID) string {
	c := comparison{a: a, b: b, steps: maxSteps}
	return c.types(ai, bi, maxDepth)
}

// comparison is one run of Diff. Its methods return the difference, or "".
type comparison struct {
	a, b  *Data
	steps int
}

const tooLarge = "too large to compare"

// step counts a step, and a long name as more, and tells whether one was left.
func (c *comparison) step(name string) bool {
	c.steps -= 1 + len(name)/64
	return c.steps >= 0
}

func (c *comparison) types(ai, bi ID, depth int) string {
	ta, okA := c.a.resolve(ai)
	tb, okB := c.b.resolve(bi)
	kind := ta.Kind()
	if !c.step("") {
		return tooLarge
	}
	switch {
	case depth == 0 || !okA || !okB:
		return "nested more than 32 deep"
	case kind != tb.Kind():
		return describe(ta) + ", not " + describe(tb)
	}
	switch kind {
	case KindVoid, KindFuncProto:
		return ""
	case KindInt, KindFloat:
		return c.numbers(ta, tb)
	case KindPtr:
		return c.pointers(ta, tb)
	case KindArray:
		return c.arrays(ta.Array(), tb.Array(), depth)
	}
	name := ta.Name()
	switch {
	case !c.step(name):
		return tooLarge
	case name != tb.Name() || kind == KindFwd && ta.KindFlag() != tb.KindFlag():
		return describe(ta) + ", not " + describe(tb)
	}
	return c.named(ta, tb, depth)
}

// named compares types of one kind and name.
func (c *comparison) named(ta, tb Type, depth int) string {
	diff := ""
	switch ta.Kind() {
	case KindStruct, KindUnion:
		diff = c.members(ta, tb, depth)
	case KindDatasec:
		diff = c.vars(ta, tb, depth)
	case KindEnum, KindEnum64:
		diff = c.enums(ta, tb)
	case KindVar:
		return prefix(describe(ta), c.types(ta.Ref(), tb.Ref(), depth-1))
	}
	if diff == "" && ta.Size() != tb.Size() {
		return describe(ta) + ": " + differ(ta.Size(), tb.Size(), "bytes")
	}
	return diff
}

func (c *comparison) numbers(ta, tb Type) string {
	switch {
	case ta.Size() != tb.Size():
		return text.Form("{} of {}, not {} of {} bytes").
			Add(describe(ta)).Uint(uint64(ta.Size())).Add(describe(tb)).Uint(uint64(tb.Size())).String()
	case ta.intWord() == tb.intWord():
		return ""
	case ta.IntEncoding() != tb.IntEncoding():
		return text.Form("{} ({}), not {} ({})").Add(describe(ta)).Add(encoding(ta)).Add(describe(tb)).Add(encoding(tb)).String()
	case ta.IntBits() != tb.IntBits():
		return describe(ta) + ": " + differ(ta.IntBits(), tb.IntBits(), "bits")
	case ta.IntOffset() != tb.IntOffset():
		return describe(ta) + ": value " + differ(ta.IntOffset(), tb.IntOffset(), "bits from its start")
	}
	return "" // they differ in bits that mean nothing
}

func (c *comparison) pointers(ta, tb Type) string {
	pa, okA := c.a.resolve(ta.Ref())
	pb, okB := c.b.resolve(tb.Ref())
	if !okA || !okB {
		return "pointer to a type that is nested more than 32 deep"
	}
	if !c.step(pa.Name()) {
		return tooLarge
	}
	if declared(pa) != declared(pb) || pa.Name() != pb.Name() {
		return text.Form("pointer to {}, not to {}").Add(describe(pa)).Add(describe(pb)).String()
	}
	return ""
}

// declared returns the type's kind; of a FWD, the kind that it declares.
func declared(t Type) Kind {
	switch {
	case t.Kind() != KindFwd:
		return t.Kind()
	case t.KindFlag():
		return KindUnion
	}
	return KindStruct
}

func (c *comparison) arrays(a, b Array, depth int) string {
	if a.Count != b.Count {
		return "array of " + differ(a.Count, b.Count, "elements")
	}
	return prefix("array element", c.types(a.Elem, b.Elem, depth-1))
}

func (c *comparison) members(ta, tb Type, depth int) string {
	na, nb := ta.Vlen(), tb.Vlen()
	for i := range min(na, nb) {
		ma, mb := ta.Member(i), tb.Member(i)
		if !c.step(ma.Name) {
			return tooLarge
		}
		if ma.Name != mb.Name {
			return text.Form("member {} of {}: named {}, not {}").Int(i).Add(describe(ta)).Quote(ma.Name).Quote(mb.Name).String()
		}
		if diff := c.member(ma, mb, depth); diff != "" {
			return text.Form("member {} of {}: {}").Add(label(ma.Name, i)).Add(describe(ta)).Add(diff).String()
		}
	}
	switch {
	case na > nb:
		return text.Form("{}: has a member {}, and should have only {}").
			Add(describe(ta)).Add(label(ta.Member(nb).Name, nb)).Int(nb).String()
	case na < nb:
		return describe(ta) + ": has no member " + label(tb.Member(na).Name, na)
	}
	return ""
}

// member compares two members of one name.
func (c *comparison) member(a, b Member, depth int) string {
	if a.BitOffset != b.BitOffset {
		return "offset " + differ(a.BitOffset, b.BitOffset, "bits")
	}
	if a.BitSize != b.BitSize {
		return "bit field of " + differ(a.BitSize, b.BitSize, "bits")
	}
	return c.types(a.Type, b.Type, depth-1)
}

func (c *comparison) vars(ta, tb Type, depth int) string {
	na, nb := ta.Vlen(), tb.Vlen()
	for i := range min(na, nb) {
		va, vb := ta.Var(i), tb.Var(i)
		diff := c.types(va.Type, vb.Type, depth-1)
		switch where := describe(c.a.Type(va.Type)); {
		case diff != "":
			return prefix(describe(ta), diff)
		case va.Offset != vb.Offset:
			return text.Form("{}: {}: offset {}").Add(describe(ta)).Add(where).Add(differ(va.Offset, vb.Offset, "bytes")).String()
		case va.Size != vb.Size:
			return text.Form("{}: {}: size {}").Add(describe(ta)).Add(where).Add(differ(va.Size, vb.Size, "bytes")).String()
		}
	}
	switch {
	case na > nb:
		return text.Form("{}: has a {}, and should have only {}").
			Add(describe(ta)).Add(describe(c.a.Type(ta.Var(nb).Type))).Int(nb).String()
	case na < nb:
		return describe(ta) + ": has no " + describe(c.b.Type(tb.Var(na).Type))
	}
	return ""
}

// enums compares the enumerators that both have. They are looked for from where the last one was found, so that two lists in one order, with
// or without gaps, take one pass.
func (c *comparison) enums(ta, tb Type) string {
	nb, next := tb.Vlen(), 0
	for i := range ta.Vlen() {
		ea := ta.Enum(i)
		for j := range nb {
			at := next + j
			if at >= nb {
				at -= nb
			}
			eb := tb.Enum(at)
			if !c.step(eb.Name) {
				return describe(ta) + ": " + tooLarge
			}
			if ea.Name != eb.Name {
				continue
			}
			if ea.Value != eb.Value {
				return text.Form("enumerator {} of {}: {}, not {}").
					Quote(ea.Name).Add(describe(ta)).Int64(int64(ea.Value)).Int64(int64(eb.Value)).String()
			}
			next = at + 1
			break
		}
	}
	return ""
}
