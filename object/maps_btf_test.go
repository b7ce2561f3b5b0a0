package object_test

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// Kinds of types, as BTF numbers them.
const (
	kindInt = iota + 1
	kindPtr
	kindArray
	kindStruct
	kindUnion
	kindEnum
	kindFuncProto = 13
	kindVar       = 14
	kindDatasec   = 15
)

// types is BTF that is built by hand.
type types struct {
	words   []uint32
	strings []byte
	count   uint32
}

// field is a member of a definition.
type field struct {
	name string
	id   uint32
}

// add returns the id of a new type.
func (b *types) add(kind uint32, name string, vlen int, size uint32, rest ...uint32) uint32 {
	b.words = append(append(b.words, b.text(name), kind<<24|uint32(vlen), size), rest...)
	b.count++
	return b.count
}

func (b *types) text(s string) uint32 {
	if s == "" {
		return 0
	}
	b.strings = append(append(b.strings, s...), 0)
	return uint32(len(b.strings) - len(s))
}

func (b *types) integer() uint32 { return b.add(kindInt, "int", 0, 4, 32) }

func (b *types) pointer(to uint32) uint32 { return b.add(kindPtr, "", 0, to) }

func (b *types) array(of, n uint32) uint32 { return b.add(kindArray, "", 0, 0, of, of, n) }

// uint is what __uint writes.
func (b *types) uint(n uint32) uint32 { return b.pointer(b.array(b.integer(), n)) }

func (b *types) structure(fields ...field) uint32 {
	var members []uint32
	for i, f := range fields {
		members = append(members, b.text(f.name), f.id, uint32(i)*64)
	}
	return b.add(kindStruct, "", len(fields), uint32(len(fields))*8, members...)
}

func (b *types) bytes() []byte {
	strings := append([]byte{0}, b.strings...)
	raw := words(1<<16|0xeb9f, 24, 0, uint32(4*len(b.words)), uint32(4*len(b.words)), uint32(len(strings)))
	return join(raw, words(b.words...), strings)
}

// definition builds an object with one map, "m", of the fields that a function makes.
func definition(linkage uint32, fields func(b *types) []field) ([]byte, *image) {
	b := &types{}
	def := b.structure(fields(b)...)
	variable := b.add(kindVar, "m", 0, def, linkage)
	b.add(kindDatasec, ".maps", 1, 0, variable, 0, 96)
	return b.bytes(), &image{typ: elf.ET_REL, machine: elf.EM_BPF,
		parts: []part{{name: ".maps", flags: elf.SHF_ALLOC, data: make([]byte, 96)}, {name: ".BTF", data: b.bytes()}},
		syms:  []sym{{"m", elf.STB_GLOBAL, elf.STT_OBJECT, 0, 0, 0, 96}},
	}
}

// hash are the fields of a good definition.
func hash(b *types) []field {
	return []field{{"type", b.uint(1)}, {"max_entries", b.uint(9)}, {"key", b.pointer(b.integer())}, {"value_size", b.uint(6)}}
}

func TestMapDefinition(t *testing.T) {
	_, m := definition(1, func(b *types) []field {
		enum := b.add(kindEnum, "", 1, 4, b.text("x"), 77)
		return append(hash(b), field{"map_flags", b.uint(1 << 30)}, field{"numa_node", b.uint(2)}, field{"map_extra", enum},
			field{"key_size", b.uint(4)}, field{"pinning", b.uint(1)})
	})
	s, err := m.parse()
	if err != nil {
		t.Fatal(err)
	}
	want := &object.MapSpec{
		Name: "m", Section: ".maps", Type: sys.MapTypeHash, KeySize: 4, ValueSize: 6, MaxEntries: 9, Flags: 1 << 30, NUMANode: 2, Extra: 77,
		Pinning: object.PinByName,
	}
	if diff := cmp.Diff(want, s.Map("m"), ignoreUnexported); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if key, value := s.Map("m").Types(); key == 0 || value != 0 || s.Map("m").PinIgnored() {
		t.Errorf("types %d and %d, pinning ignored: %t", key, value, s.Map("m").PinIgnored())
	}
}

// TestBadMapDefinition has everything that a definition may not say.
func TestBadMapDefinition(t *testing.T) {
	with := func(more ...func(b *types) field) func(b *types) []field {
		return func(b *types) []field {
			fields := hash(b)
			for _, f := range more {
				fields = append(fields, f(b))
			}
			return fields
		}
	}
	values := func(kind uint32, element func(b *types) uint32, more ...field) func(b *types) []field {
		return func(b *types) []field {
			fields := append([]field{{"type", b.uint(kind)}, {"key_size", b.uint(4)}}, more...)
			return append(fields, field{"values", b.array(b.pointer(element(b)), 0)})
		}
	}
	inner := func(b *types) uint32 { return b.structure(hash(b)...) }
	for _, test := range []struct {
		name   string
		fields func(b *types) []field
		want   string
	}{
		{"unknown field", with(func(b *types) field { return field{"colour", b.uint(1)} }), `map "m" in section ".maps": field "colour" is unknown`},
		{"no type", func(b *types) []field { return []field{{"max_entries", b.uint(1)}} }, `no field "type"`},
		{"no __uint", with(func(b *types) field { return field{"map_flags", b.integer()} }), `field "map_flags" is no __uint`},
		{"no __type", with(func(b *types) field { return field{"value", b.integer()} }), `field "value" is no __type`},
		{"type without size", with(func(b *types) field { return field{"value", b.pointer(0)} }), `field "value": btf: no size`},
		{"two sizes", with(func(b *types) field { return field{"key_size", b.uint(8)} }), `field "key_size" asks for 8 bytes, another field for 4`},
		{"enum of two", with(func(b *types) field {
			return field{"map_extra", b.add(kindEnum, "", 2, 4, b.text("x"), 1, b.text("y"), 2)}
		}), "enum of 2 values"},
		{"values of a hash", with(func(b *types) field { return field{"values", b.array(b.pointer(inner(b)), 0)} }), "not for hash"},
		{"values not last", func(b *types) []field {
			return append([]field{{"values", b.array(b.pointer(inner(b)), 0)}}, hash(b)...)
		}, "must be the last one"},
		{"values with a length", func(b *types) []field {
			return []field{{"type", b.uint(12)}, {"values", b.array(b.pointer(inner(b)), 2)}}
		}, "is no __array"},
		{"values of other sizes", func(b *types) []field {
			return []field{{"type", b.uint(12)}, {"value_size", b.uint(8)}, {"values", b.array(b.pointer(inner(b)), 0)}}
		}, "its values have 8 bytes"},
		{"program array of structs", values(3, inner), "points to struct, not to functions"},
		{"map of integers", values(12, func(b *types) uint32 { return b.integer() }), "its definition is int, not a struct"},
		{"map of maps of maps", values(12, func(b *types) uint32 { return b.structure(values(12, inner)(b)...) }), "cannot have inner maps"},
		{"pinned inner map", values(12, func(b *types) uint32 { return b.structure(field{"pinning", b.uint(1)}) }), "inner map cannot be pinned"},
		{"too many fields", func(b *types) []field {
			return make([]field, 65)
		}, "96"},
	} {
		_, m := definition(1, test.fields)
		_, err := m.parse()
		if err == nil {
			t.Errorf("%s: no error", test.name)
			continue
		}
		checkError(t, err, object.ErrFormat, test.want)
	}
}

// TestBadMapVariable has what the ELF and the BTF around a definition may not say.
func TestBadMapVariable(t *testing.T) {
	_, m := definition(2, hash)
	_, err := m.parse()
	checkError(t, err, object.ErrUnsupported, `map "m" is extern`)
	for _, test := range []struct {
		change func(m *image)
		want   string
	}{
		{func(m *image) { m.syms[0].name = "n" }, `map "m" has no symbol`},
		{func(m *image) { m.syms[0].value = 8 }, `map "m" has 96 bytes at 8`},
		{func(m *image) { m.parts[0].data = m.parts[0].data[:24] }, `has only 24`},
		{func(m *image) { m.parts[1].data = (&types{}).bytes() }, `no DATASEC for section ".maps"`},
		{func(m *image) { m.parts[1].name = ".BTX" }, "there is no .BTF"},
		{func(m *image) { m.parts[1].data = make([]byte, 24) }, "btf: malformed"},
		{func(m *image) {
			m.parts[0].rels = []rel{{8, elf.R_BPF_64_ABS64, 0}}
		}, "no element of a field \"values\""},
	} {
		_, m := definition(1, hash)
		test.change(m)
		if _, err := m.parse(); err == nil {
			t.Errorf("no error, want %q", test.want)
		} else {
			checkFails(t, err, test.want)
		}
	}
}

// TestSlots has initial values of a program array, good and bad.
func TestSlots(t *testing.T) {
	build := func(rels ...rel) *image {
		_, m := definition(1, func(b *types) []field {
			return []field{{"type", b.uint(3)}, {"key_size", b.uint(4)}, {"values", b.array(b.pointer(b.add(kindFuncProto, "", 0, 0)), 0)}}
		})
		m.parts[0].rels = rels
		m.parts = append(m.parts, part{name: "socket", flags: exec, data: join(exit, exit)}, part{name: ".text", flags: exec, data: exit})
		m.syms = append(m.syms,
			sym{"a", elf.STB_GLOBAL, elf.STT_FUNC, 0, 2, 0, 8},
			sym{"b", elf.STB_GLOBAL, elf.STT_FUNC, 0, 2, 8, 8},
			sym{"sub", elf.STB_GLOBAL, elf.STT_FUNC, 0, 3, 0, 8},
			sym{"missing", elf.STB_GLOBAL, elf.STT_NOTYPE, 0, -1, 0, 0})
		return m
	}
	s, err := build(rel{16 + 24, elf.R_BPF_64_ABS64, 2}, rel{16, elf.R_BPF_64_ABS64, 1}).parse()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]object.Slot{{Index: 0, Name: "a"}, {Index: 3, Name: "b"}}, s.Map("m").Slots); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, test := range []struct {
		rel  rel
		want string
	}{
		{rel{8, elf.R_BPF_64_ABS64, 1}, "no element of a field"},
		{rel{20, elf.R_BPF_64_ABS64, 1}, "no element of a field"},
		{rel{95, elf.R_BPF_64_ABS64, 1}, "where no map is"},
		{rel{16, elf.R_BPF_64_ABS64, 3}, `to be "sub", which is not a program`},
		{rel{16, elf.R_BPF_64_ABS64, 0}, `to be "m", which is not a program`},
		{rel{16, elf.R_BPF_64_ABS64, 4}, `to be "missing", which is not a program`},
	} {
		_, err := build(test.rel).parse()
		checkFails(t, err, test.want)
	}
}

// TestLongString wants a string in BTF refused that many types could share.
func TestLongString(t *testing.T) {
	raw, m := definition(1, hash)
	long := make([]byte, 1<<16)
	for i := range long {
		long[i] = 'x'
	}
	raw = append(append(raw, long...), 0)
	binary.LittleEndian.PutUint32(raw[20:], binary.LittleEndian.Uint32(raw[20:])+1<<16+1)
	m.parts[1].data = raw
	_, err := m.parse()
	checkError(t, err, object.ErrFormat, "longer than 65535 bytes")
}
