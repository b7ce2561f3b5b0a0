package btf_test

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/internal/btf"
)

// TestCOREBitFields wants a bit field's load and shifts to give its value, wherever it lies, on machines of both byte orders.
func TestCOREBitFields(t *testing.T) {
	for name, c := range map[string]struct {
		size, start, count uint32
		offset, load       uint64 // of the load
		little, big        uint64 // left shift
	}{
		"first bit":      {4, 0, 1, 0, 4, 63, 32},
		"last bit":       {4, 31, 1, 0, 4, 32, 63},
		"in the middle":  {4, 37, 5, 4, 4, 54, 37},
		"whole":          {4, 32, 32, 4, 4, 32, 32},
		"over two words": {4, 30, 4, 0, 8, 30, 30},
		"a byte":         {1, 12, 3, 1, 1, 57, 60},
		"over two bytes": {1, 6, 4, 0, 2, 54, 54},
		"eight bytes":    {8, 65, 60, 8, 8, 3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			orders(t, func(t *testing.T, order binary.ByteOrder) {
				left := c.little
				if order == binary.ByteOrder(binary.BigEndian) {
					left = c.big
				}
				want := map[btf.COREKind]uint64{
					btf.COREFieldByteOffset: c.offset, btf.COREFieldByteSize: c.load, btf.COREFieldLShift: left,
					btf.COREFieldRShift: uint64(64 - c.count), btf.COREFieldSigned: 1, btf.COREFieldExists: 1,
				}
				got := map[btf.COREKind]uint64{}
				for kind := range want {
					c := coreCase{local: bits(4, 3, 2, btf.IntSigned), kernel: bits(c.size, c.start, c.count, btf.IntSigned), kind: kind, access: "0:0"}
					fix, _, err := c.fit(t, order)
					if err != nil {
						t.Fatal(err)
					}
					got[kind] = fix.New
					sure := kind == btf.COREFieldRShift || kind == btf.COREFieldSigned || kind == btf.COREFieldExists
					if fix.Unsure == sure || fix.OldSize != 0 {
						t.Errorf("%s: %+v", kind, fix)
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				wantExtracted(t, order, c.start, c.count, got)
			})
		})
	}
}

// wantExtracted does what BPF_CORE_READ_BITFIELD does, on memory where only the bit field's bits are set.
func wantExtracted(t *testing.T, order binary.ByteOrder, start, count uint32, got map[btf.COREKind]uint64) {
	t.Helper()
	var memory [16]byte
	for i := start; i < start+count; i++ {
		if order == binary.ByteOrder(binary.BigEndian) {
			memory[i/8] |= 0x80 >> (i % 8)
		} else {
			memory[i/8] |= 1 << (i % 8)
		}
	}
	var padded [8]byte // the load, extended with zeros
	size := got[btf.COREFieldByteSize]
	load := memory[got[btf.COREFieldByteOffset]:][:size]
	if order == binary.ByteOrder(binary.BigEndian) {
		copy(padded[8-size:], load)
	} else {
		copy(padded[:], load)
	}
	value := order.Uint64(padded[:]) << got[btf.COREFieldLShift] >> got[btf.COREFieldRShift]
	if want := uint64(math.MaxUint64) >> (64 - count); value != want {
		t.Errorf("the bits give %#x, want %#x", value, want)
	}
}

func TestCOREBitFieldsRefused(t *testing.T) {
	good := bits(4, 0, 3, 0)
	runCore(t, map[string]coreCase{
		"over nine bytes":         {local: good, kernel: bits(8, 4, 64, 0), access: "0:0", err: btf.ErrFormat, says: "in the kernel's BTF: no load"},
		"here":                    {local: bits(8, 4, 64, 0), kernel: good, access: "0:0", err: btf.ErrFormat, says: ".BTF.ext byte 20: core_relo record: no load"},
		"of a number of 16 bytes": {local: good, kernel: bits(16, 0, 3, 0), access: "0:0", err: btf.ErrFormat, says: "no load"},
		"of nothing":              {local: good, kernel: bits(0, 0, 0, 0), access: "0:0", want: btf.Fix{Unsure: true, Known: true}},
		"of a struct": {local: good, kernel: func(b *builder) btf.ID {
			return b.composite(btf.KindStruct, "s", true, 16, field{"a", b.structure("t", 0), 1 << 24})
		}, access: "0:0", want: btf.Fix{Unsure: true, Missing: true, Known: true}},
		"shift of a struct":  {local: s("s", 0), kernel: s("s", 0), kind: btf.COREFieldLShift, access: "0:2", err: btf.ErrFormat, says: "left shift is asked of a field of 16 bytes"},
		"sign of an element": {local: s("s", 0), kernel: s("s", 0), kind: btf.COREFieldSigned, access: "0:2:0", err: btf.ErrFormat, says: "asked of an array element"},
	})
}

// enumeration is enum e, signed or not.
func enumeration(kind btf.Kind, signed bool, values ...value) types {
	return func(b *builder) btf.ID {
		size := uint32(4)
		if kind == btf.KindEnum64 {
			size = 8
		}
		id := b.enum(kind, "e", size, values...)
		if signed {
			at := len(b.types) - 12 - len(values)*map[btf.Kind]int{btf.KindEnum: 8, btf.KindEnum64: 12}[kind] + 4
			b.order.PutUint32(b.types[at:], b.order.Uint32(b.types[at:])|1<<31)
		}
		return id
	}
}

func TestCOREEnums(t *testing.T) {
	const high = 0x80000001
	local := enumeration(btf.KindEnum, false, value{"A", 7}, value{"B___mine", 9})
	runCore(t, map[string]coreCase{
		"exists":         {local: local, kernel: enumeration(btf.KindEnum, false, value{"B", 3}), kind: btf.COREEnumExists, access: "1", want: known(1, 1)},
		"does not exist": {local: local, kernel: enumeration(btf.KindEnum, false, value{"B", 3}), kind: btf.COREEnumExists, access: "0", want: known(1, 0)},
		"has no value":   {local: local, kernel: enumeration(btf.KindEnum, false), kind: btf.COREEnumValue, access: "0", want: btf.Fix{Old: 7, Missing: true, Known: true, Value32: true}},
		"value":          {local: local, kernel: enumeration(btf.KindEnum, false, value{"B", 3}), kind: btf.COREEnumValue, access: "1", want: btf.Fix{Old: 9, New: 3, Known: true, Value32: true, New32: true}},
		"high": {local: enumeration(btf.KindEnum, false, value{"A", high}), kernel: enumeration(btf.KindEnum, false, value{"A", high + 1}),
			kind: btf.COREEnumValue, access: "0", want: btf.Fix{Old: high, New: high + 1, Known: true, Value32: true, New32: true}},
		"negative": {local: enumeration(btf.KindEnum, true, value{"A", -1}), kernel: enumeration(btf.KindEnum, true, value{"A", -2}),
			kind: btf.COREEnumValue, access: "0", want: btf.Fix{Old: math.MaxUint64, New: math.MaxUint64 - 1, Known: true, Value32: true, New32: true}},
		"signed here only": {local: enumeration(btf.KindEnum, true, value{"A", 1}), kernel: enumeration(btf.KindEnum, false, value{"A", -2}),
			kind: btf.COREEnumValue, access: "0", want: btf.Fix{Old: 1, New: math.MaxUint64 - 1, Known: true, Value32: true, New32: true}},
		"64 bits": {local: local, kernel: enumeration(btf.KindEnum64, false, value{"A", 1 << 40}), kind: btf.COREEnumValue, access: "0",
			want: btf.Fix{Old: 7, New: 1 << 40, Known: true, Value32: true}},
		"64 bits here": {local: enumeration(btf.KindEnum64, false, value{"A", 5}), kernel: enumeration(btf.KindEnum, false, value{"A", high}),
			kind: btf.COREEnumValue, access: "0", want: btf.Fix{Old: 5, New: high, Known: true, New32: true}},
		"no such index": {local: local, kind: btf.COREEnumValue, access: "2", err: btf.ErrFormat, says: `byte 20: core_relo record: access "2" is no enumerator of enum e`},
		"of a field":    {local: local, kind: btf.COREEnumValue, access: "0:1", err: btf.ErrFormat, says: "is no enumerator"},
		"of a struct":   {local: s("s", 0), kind: btf.COREEnumValue, access: "0", err: btf.ErrFormat, says: "is no enumerator of struct s"},
	})
}

func TestCORETypes(t *testing.T) {
	typedef := func(kind btf.Kind) types {
		return func(b *builder) btf.ID {
			number := b.integer("int", 4, 1)
			if kind == btf.KindFuncProto {
				return b.ref(btf.KindTypedef, "t", b.ref(btf.KindPtr, "", b.proto(number, btf.Param{Name: "x", Type: number})))
			}
			return b.ref(btf.KindTypedef, "t", number)
		}
	}
	runCore(t, map[string]coreCase{
		"local id":          {local: s("s", 0), kind: btf.CORETypeIDLocal, access: "0", want: btf.Fix{Old: 8, New: 8, Unsure: true}},
		"id":                {local: s("s", 0), kernel: s("s", 0), kind: btf.CORETypeIDTarget, access: "0", want: btf.Fix{New: 9, Known: true, Unsure: true}},
		"no id":             {local: s("s", 0), kind: btf.CORETypeIDTarget, access: "0", want: btf.Fix{Unsure: true}},
		"exists":            {local: s("s", 0), kernel: s("s", 0), kind: btf.CORETypeExists, access: "0", want: known(1, 1)},
		"does not exist":    {local: s("s", 0), kind: btf.CORETypeExists, access: "0", want: btf.Fix{Old: 1}},
		"exists otherwise":  {local: s("s", 0), kernel: composite(btf.KindStruct, "s"), kind: btf.CORETypeExists, access: "0", want: known(1, 1)},
		"of another kind":   {local: s("s", 0), kernel: composite(btf.KindUnion, "s"), kind: btf.CORETypeExists, access: "0", want: btf.Fix{Old: 1}},
		"enum64 for enum":   {local: enumeration(btf.KindEnum, false), kernel: enumeration(btf.KindEnum64, false), kind: btf.CORETypeExists, access: "0", want: known(1, 1)},
		"size":              {local: s("s", 0), kernel: s("s", 8), kind: btf.CORETypeSize, access: "0", want: known(64, 72)},
		"no size":           {local: s("s", 0), kind: btf.CORETypeSize, access: "0", want: btf.Fix{Old: 64}},
		"typedef":           {local: typedef(btf.KindInt), kernel: typedef(btf.KindInt), kind: btf.CORETypeExists, access: "0", want: known(1, 1)},
		"of a function":     {local: typedef(btf.KindFuncProto), kernel: typedef(btf.KindFuncProto), kind: btf.CORETypeExists, access: "0", want: known(1, 1)},
		"of something else": {local: typedef(btf.KindFuncProto), kernel: typedef(btf.KindInt), kind: btf.CORETypeExists, access: "0", want: known(1, 0)},
		"in a module":       {local: s("s", 0), modules: []types{composite(btf.KindStruct, "x"), s("s", 16)}, kind: btf.CORETypeSize, access: "0", want: known(64, 80)},
		"modules not asked": {local: s("s", 0), kernel: s("s", 8), modules: []types{s("s", 16)}, kind: btf.CORETypeSize, access: "0", want: known(64, 72)},
		"modules disagree": {local: s("s", 0), modules: []types{s("s", 8), s("s", 16)}, kind: btf.CORETypeSize, access: "0",
			err: btf.ErrAmbiguous, says: ".BTF.ext byte 20: the kernel has several types that fit, and the size would be 72 in one and 80 in another"},
	})
}

func TestCOREMatches(t *testing.T) {
	member := func(b *builder, name string, id btf.ID) btf.ID { return b.structure("s", 8, field{name, id, 0}) }
	number := func(b *builder) btf.ID { return member(b, "a", b.integer("int", 4, 1)) }
	to := func(kind btf.Kind, flag bool) types { // a pointer to something called t
		return func(b *builder) btf.ID {
			id := b.add(kind, "t", flag, 0, 0)
			return member(b, "p", b.ref(btf.KindPtr, "", id))
		}
	}
	function := func(params int) types {
		return func(b *builder) btf.ID {
			id := b.integer("int", 4, 1)
			return member(b, "f", b.ref(btf.KindPtr, "", b.proto(id, make([]btf.Param, params)...)))
		}
	}
	array := func(n uint32) types {
		return func(b *builder) btf.ID {
			id := b.integer("int", 4, 1)
			return member(b, "l", b.array(id, id, n))
		}
	}
	match := func(local, kernel types, is uint64) coreCase {
		return coreCase{local: local, kernel: kernel, kind: btf.CORETypeMatches, access: "0", want: known(1, is)}
	}
	runCore(t, map[string]coreCase{
		"itself":       match(s("s", 0), s("s", 8), 1),
		"less members": match(composite(btf.KindStruct, "s"), s("s", 0), 0),
		"part of it": match(number, func(b *builder) btf.ID {
			i := b.integer("int", 4, 1)
			return b.structure("s", 8, field{"z", i, 0}, field{"a", i, 32})
		}, 1),
		"another type":       match(number, func(b *builder) btf.ID { return member(b, "a", b.integer("unsigned int", 4, 0)) }, 0),
		"another size":       match(number, func(b *builder) btf.ID { return member(b, "a", b.integer("int", 8, 1)) }, 0),
		"another sign":       match(number, func(b *builder) btf.ID { return member(b, "a", b.integer("int", 4, 0)) }, 0),
		"through a typedef":  match(number, func(b *builder) btf.ID { return member(b, "a", b.ref(btf.KindTypedef, "i", b.integer("int", 4, 1))) }, 1),
		"declaration":        match(to(btf.KindStruct, false), to(btf.KindFwd, false), 1),
		"declared as union":  match(to(btf.KindStruct, false), to(btf.KindFwd, true), 0),
		"only declared here": match(to(btf.KindFwd, true), to(btf.KindUnion, false), 1),
		"function":           match(function(2), function(2), 1),
		"more parameters":    match(function(2), function(3), 0),
		"array":              match(array(3), array(3), 1),
		"longer array":       match(array(3), array(4), 0),
		"enumerators": match(enumeration(btf.KindEnum, false, value{"A", 1}, value{"B", 2}),
			enumeration(btf.KindEnum, false, value{"B", 5}, value{"A", 6}, value{"C", 7}), 1),
		"lost enumerator": match(enumeration(btf.KindEnum, false, value{"A", 1}, value{"B", 2}),
			enumeration(btf.KindEnum, false, value{"B", 5}, value{"C", 6}), 0),
		"wider enumeration": match(enumeration(btf.KindEnum, false), enumeration(btf.KindEnum64, false), 0),
		"no type":           {local: number, kind: btf.CORETypeMatches, access: "0", want: btf.Fix{Old: 1}},
	})
}
