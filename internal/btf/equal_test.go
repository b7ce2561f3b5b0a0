package btf_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/pinion-bpf/pinion/internal/btf"
)

// base are the types that the types under comparison are made of.
type base struct{ u8, u32, s32, long, longLong, u64, flow btf.ID }

func buildBase(b *builder) (t base) {
	t.u8 = b.integer("unsigned char", 1, 0)
	t.u32 = b.integer("unsigned int", 4, 0)
	t.s32 = b.integer("int", 4, btf.IntSigned)
	t.long = b.integer("long", 8, btf.IntSigned)
	t.longLong = b.integer("long long", 8, btf.IntSigned)
	t.u64 = b.integer("unsigned long", 8, 0)
	t.flow = b.structure("flow", 16, field{"src", t.u32, 0}, field{"ttl", t.u32, 64})
	return t
}

type build = func(b *builder, t base) btf.ID

// flowOf builds another struct flow.
func flowOf(size uint32, fields func(t base) []field) build {
	return func(b *builder, t base) btf.ID { return b.structure("flow", size, fields(t)...) }
}

func pointerTo(target build) build {
	return func(b *builder, t base) btf.ID { return b.ref(btf.KindPtr, "", target(b, t)) }
}

func theFlow(_ *builder, t base) btf.ID { return t.flow }
func theU32(_ *builder, t base) btf.ID  { return t.u32 }
func theLong(_ *builder, t base) btf.ID { return t.long }
func void(*builder, base) btf.ID        { return 0 }
func fwd(name string, union bool) build {
	return func(b *builder, _ base) btf.ID { return b.add(btf.KindFwd, name, union, 0, 0) }
}
func enumOf(name string, size uint32, values ...value) build {
	return func(b *builder, _ base) btf.ID { return b.enum(btf.KindEnum, name, size, values...) }
}
func arrayOf(elem build, count uint32) build {
	return func(b *builder, t base) btf.ID { return b.array(elem(b, t), t.u32, count) }
}
func datasecOf(size uint32, names ...string) build {
	return func(b *builder, t base) btf.ID {
		var vars []btf.VarSecinfo
		for i, n := range names {
			vars = append(vars, btf.VarSecinfo{Type: b.variable(n, t.u32, 1), Offset: 4 * uint32(i), Size: 4})
		}
		return b.datasec(".data", size, vars...)
	}
}
func modified(target build) build {
	return func(b *builder, t base) btf.ID {
		id := b.ref(btf.KindTypedef, "alias_t", target(b, t))
		for _, k := range []btf.Kind{btf.KindConst, btf.KindVolatile, btf.KindRestrict, btf.KindTypeTag} {
			id = b.ref(k, "", id)
		}
		return id
	}
}
func intOf(size, word uint32) build {
	return func(b *builder, _ base) btf.ID { return b.add(btf.KindInt, "u", false, 0, size, word) }
}
func dataAt(offset, size uint32) build {
	return func(b *builder, t base) btf.ID {
		return b.datasec(".data", 64, btf.VarSecinfo{Type: b.variable("x", t.u32, 0), Offset: offset, Size: size})
	}
}
func bitsOf(lo uint32) build {
	return func(b *builder, t base) btf.ID {
		return b.composite(btf.KindStruct, "bits", true, 4, field{"lo", t.u32, lo << 24})
	}
}

func flow(size, ttl uint32) build {
	return flowOf(size, func(t base) []field { return []field{{"src", t.u32, 0}, {"ttl", t.u32, ttl}} })
}

func nested(inner build) build {
	return func(b *builder, t base) btf.ID { return b.structure("outer", 64, field{"in", inner(b, t), 0}) }
}

// diffs are pairs of types and what [btf.Diff] says of them.
var diffs = []struct {
	name string
	a, b build
	want string
}{
	{"void", void, void, ""},
	{"same struct", theFlow, flow(16, 64), ""},
	{"modifiers", theFlow, modified(theFlow), ""},
	{"modifiers of a member", nested(theU32), nested(modified(theU32)), ""},
	{"long and long long", theLong, func(_ *builder, t base) btf.ID { return t.longLong }, ""},
	{"void and int", void, theU32, "void, not unsigned int"},
	{"int sizes", theU32, theLong, "unsigned int of 4, not long of 8 bytes"},
	{"signs", theU32, func(_ *builder, t base) btf.ID { return t.s32 }, "unsigned int (unsigned), not int (signed)"},
	{"int bits", theU32, func(b *builder, _ base) btf.ID { return b.add(btf.KindInt, "u", false, 0, 4, 31) }, "unsigned int: 32, not 31 bits"},
	{"int offsets", intOf(5, 32), intOf(5, 8<<16|32), "u: value 0, not 8 bits from its start"},
	{"int bits that mean nothing", intOf(4, 32), intOf(4, 1<<28|32), ""},
	{"chars and bools", intOf(1, btf.IntChar<<24|8), intOf(1, (btf.IntBool|btf.IntSigned)<<24|8), "u (unsigned char), not u (signed bool)"},
	{"offset", theFlow, flow(16, 96), `member "ttl" of struct flow: offset 64, not 96 bits`},
	{"size", theFlow, flow(24, 64), "struct flow: 16, not 24 bytes"},
	{"member name", theFlow, flowOf(16, func(t base) []field { return []field{{"dst", t.u32, 0}, {"ttl", t.u32, 64}} }),
		`member 0 of struct flow: named "src", not "dst"`},
	{"member type", theFlow, flowOf(16, func(t base) []field { return []field{{"src", t.u32, 0}, {"ttl", t.s32, 64}} }),
		`member "ttl" of struct flow: unsigned int (unsigned), not int (signed)`},
	{"fewer", theFlow, flowOf(16, func(t base) []field { return []field{{"src", t.u32, 0}} }),
		`struct flow: has a member "ttl", and should have only 1`},
	{"more", theFlow, flowOf(16, func(t base) []field { return []field{{"src", t.u32, 0}, {"ttl", t.u32, 64}, {"", t.u32, 96}} }),
		`struct flow: has no member 2`},
	{"struct names", theFlow, func(b *builder, t base) btf.ID { return b.structure("flow2", 16) }, "struct flow, not struct flow2"},
	{"hostile name", theFlow, func(b *builder, t base) btf.ID { return b.structure("\x1b[2J", 16) }, `struct flow, not struct "\x1b[2J"`},
	{"anonymous", theFlow, func(b *builder, t base) btf.ID { return b.structure("", 16) }, "struct flow, not anonymous struct"},
	{"struct and union", theFlow, func(b *builder, t base) btf.ID { return b.composite(btf.KindUnion, "flow", false, 16) }, "struct flow, not union flow"},
	{"bit fields", bitsOf(3), bitsOf(4), `member "lo" of struct bits: bit field of 3, not 4 bits`},
	{"bit fields alike", bitsOf(3), bitsOf(3), ""},
	{"nested", nested(theFlow), nested(flow(16, 96)), `member "in" of struct outer: member "ttl" of struct flow: offset 64, not 96 bits`},
	{"arrays", arrayOf(theU32, 4), arrayOf(theU32, 4), ""},
	{"array count", arrayOf(theU32, 4), arrayOf(theU32, 5), "array of 4, not 5 elements"},
	{"array element", arrayOf(theU32, 4), arrayOf(theLong, 4), "array element: unsigned int of 4, not long of 8 bytes"},
	{"pointers", pointerTo(theFlow), pointerTo(flow(99, 0)), ""},
	{"pointer to a declaration", pointerTo(theFlow), pointerTo(fwd("flow", false)), ""},
	{"pointer to a declared union", pointerTo(theFlow), pointerTo(fwd("flow", true)), "pointer to struct flow, not to union flow (only declared)"},
	{"pointee name", pointerTo(theFlow), pointerTo(fwd("skb", false)), "pointer to struct flow, not to struct skb (only declared)"},
	{"pointee kind", pointerTo(theFlow), pointerTo(void), "pointer to struct flow, not to void"},
	{"pointee modified", pointerTo(theFlow), pointerTo(modified(theFlow)), ""},
	{"pointers to pointers", pointerTo(pointerTo(theFlow)), pointerTo(pointerTo(theU32)), ""},
	{"declarations", fwd("x", false), fwd("x", false), ""},
	{"declared kinds", fwd("x", false), fwd("x", true), "struct x (only declared), not union x (only declared)"},
	{"enums", enumOf("e", 4, value{"A", 0}, value{"B", -1}), enumOf("e", 4, value{"A", 0}, value{"B", -1}), ""},
	{"enum grown", enumOf("e", 4, value{"A", 0}, value{"C", 2}), enumOf("e", 4, value{"A", 0}, value{"B", 1}, value{"C", 2}), ""},
	{"enum reordered", enumOf("e", 4, value{"A", 0}, value{"B", 1}), enumOf("e", 4, value{"B", 1}, value{"A", 0}), ""},
	{"enum renumbered", enumOf("e", 4, value{"A", 0}, value{"B", -1}), enumOf("e", 4, value{"B", 0}, value{"A", 1}), `enumerator "A" of enum e: 0, not 1`},
	{"enum negative", enumOf("e", 4, value{"A", -1}), enumOf("e", 4, value{"A", 5}), `enumerator "A" of enum e: -1, not 5`},
	{"enum size", enumOf("e", 4), enumOf("e", 1), "enum e: 4, not 1 bytes"},
	{"enum name", enumOf("e", 4), enumOf("f", 4), "enum e, not enum f"},
	{"enum and enum64", enumOf("e", 4), func(b *builder, _ base) btf.ID { return b.enum(btf.KindEnum64, "e", 4) }, "enum e, not enum64 e"},
	{"datasec", datasecOf(8, "x", "y"), datasecOf(8, "x", "y"), ""},
	{"datasec size", datasecOf(8, "x", "y"), datasecOf(12, "x", "y"), "datasec .data: 8, not 12 bytes"},
	{"datasec var", datasecOf(8, "x", "y"), datasecOf(8, "x", "z"), "datasec .data: var y, not var z"},
	{"datasec offset", dataAt(4, 4), dataAt(8, 4), "datasec .data: var x: offset 4, not 8 bytes"},
	{"datasec var size", dataAt(4, 4), dataAt(4, 8), "datasec .data: var x: size 4, not 8 bytes"},
	{"datasec more", datasecOf(8, "x"), datasecOf(8, "x", "y"), "datasec .data: has no var y"},
	{"datasec fewer", datasecOf(8, "x", "y"), datasecOf(8, "x"), "datasec .data: has a var y, and should have only 1"},
	{"floats", func(b *builder, _ base) btf.ID { return b.add(btf.KindFloat, "float", false, 0, 4) },
		func(b *builder, _ base) btf.ID { return b.add(btf.KindFloat, "double", false, 0, 8) }, "float of 4, not double of 8 bytes"},
	{"vars", func(b *builder, t base) btf.ID { return b.variable("v", t.u32, 0) },
		func(b *builder, t base) btf.ID { return b.variable("v", t.u64, 0) }, "var v: unsigned int of 4, not unsigned long of 8 bytes"},
	{"functions", func(b *builder, _ base) btf.ID { return b.function("f", b.proto(0), 0) },
		func(b *builder, t base) btf.ID { return b.function("f", b.proto(t.u32), 1) }, ""},
}

func TestDiff(t *testing.T) {
	for _, tt := range diffs {
		t.Run(tt.name, func(t *testing.T) {
			ba, bb := newBuilder(binary.LittleEndian), newBuilder(binary.BigEndian)
			ai := tt.a(ba, buildBase(ba))
			bb.integer("pad", 1, 0) // so that ids differ between the two
			bi := tt.b(bb, buildBase(bb))
			da, db := parse(t, ba), parse(t, bb)
			if got := btf.Diff(da, ai, db, bi); got != tt.want {
				t.Errorf("Diff = %q\nwant   %q", got, tt.want)
			}
			equal := tt.want == ""
			if btf.Equal(da, ai, db, bi) != equal || btf.Equal(db, bi, da, ai) != equal {
				t.Errorf("Equal is not %v both ways", equal)
			}
			if !btf.Equal(da, ai, da, ai) || !btf.Equal(db, bi, db, bi) {
				t.Error("a type is not equal to itself")
			}
		})
	}
}

// What contains itself has no layout, and must end in a difference, not in a hang or a stack overflow.
func TestCycles(t *testing.T) {
	b := newBuilder(binary.LittleEndian)
	u32 := b.integer("unsigned int", 4, 0)
	typedef := b.ref(btf.KindTypedef, "self_t", b.next)
	ping := b.ref(btf.KindConst, "", b.next+1)
	pong := b.ref(btf.KindVolatile, "", ping)
	strct := b.structure("self", 4, field{"me", b.next, 0}, field{"me_too", b.next, 0})
	array := b.array(b.next, u32, 2)
	empty := b.array(b.next, u32, 0)
	toLoop := b.ref(btf.KindPtr, "", typedef)
	variable := b.variable("v", b.next, 0)
	d := parse(t, b)
	for _, id := range []btf.ID{typedef, ping, pong, strct, array, empty, toLoop, variable} {
		if diff := btf.Diff(d, id, d, id); !strings.Contains(diff, "nested more than 32 deep") {
			t.Errorf("Diff of type %d with itself = %q", id, diff)
		}
	}
	for _, id := range []btf.ID{typedef, ping, pong} {
		if got := d.Resolve(id); got.Kind() != btf.KindVoid {
			t.Errorf("Resolve(%d) = type %d", id, got.ID())
		}
	}
	for _, id := range []btf.ID{typedef, ping, array, empty, variable} {
		if size, err := d.SizeOf(id); err == nil {
			t.Errorf("SizeOf(%d) = %d", id, size)
		}
	}
}

// 31 structs, each with two members of the next: two billion leaves.
func TestDiffIsBounded(t *testing.T) {
	b := newBuilder(binary.LittleEndian)
	id := b.integer("unsigned int", 4, 0)
	for range 31 {
		id = b.structure("s", 8, field{"a", id, 0}, field{"b", id, 0})
	}
	d := parse(t, b)
	if diff := btf.Diff(d, id, d, id); !strings.Contains(diff, "too large to compare") {
		t.Errorf("Diff = %q", diff)
	}
}

// Two long enumerations without a common name would take the product of their lengths.
func TestEnumDiffIsBounded(t *testing.T) {
	var as, bs []value
	for range 1 << 15 {
		as, bs = append(as, value{"A", 0}), append(bs, value{"B", 0})
	}
	b := newBuilder(binary.LittleEndian)
	a, c := b.enum(btf.KindEnum, "e", 4, as...), b.enum(btf.KindEnum, "e", 4, bs...)
	d := parse(t, b)
	if diff := btf.Diff(d, a, d, c); diff != "enum e: too large to compare" {
		t.Errorf("Diff = %q", diff)
	}
}
