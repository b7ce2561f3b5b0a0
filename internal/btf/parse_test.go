package btf_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pinion-bpf/pinion/internal/btf"
)

func TestParseBothOrders(t *testing.T) {
	orders(t, func(t *testing.T, order binary.ByteOrder) {
		b, s := buildSample(order)
		d := parse(t, b)
		if d.Order() != order {
			t.Errorf("Order() = %v, want %v", d.Order(), order)
		}
		if got, want := d.Len(), int(b.next); got != want {
			t.Errorf("Len() = %d, want %d", got, want)
		}
		if !bytes.Equal(d.Raw(), b.raw()) {
			t.Error("Raw() differs from what was parsed")
		}
		want := map[btf.ID]string{
			0: "void ", s.u32: "int unsigned int", s.char: "int char", s.ptr: "ptr ", s.arr: "array ", s.addr: "union addr", s.flow: "struct flow",
			s.state: "enum state", s.fwd: "fwd sk_buff", s.td: "typedef flow_t", s.vol: "volatile ", s.con: "const ", s.res: "restrict ",
			s.proto: "func_proto ", s.prog: "func count", s.counter: "var hits", s.bss: "datasec .bss", s.dbl: "float double",
			s.tag: "decl_tag user", s.typetag: "type_tag kptr", s.wide: "enum64 wide", s.bits: "struct bits",
		}
		got := map[btf.ID]string{}
		for id := range btf.ID(d.Len()) {
			typ := d.Type(id)
			if typ.ID() != id {
				t.Errorf("Type(%d).ID() = %d", id, typ.ID())
			}
			got[id] = typ.Kind().String() + " " + typ.Name()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("types (-want +got):\n%s", diff)
		}
	})
}

// Both byte orders must read alike in everything but the order.
func TestOrdersReadAlike(t *testing.T) {
	little, _ := buildSample(binary.LittleEndian)
	big, _ := buildSample(binary.BigEndian)
	dl, db := parse(t, little), parse(t, big)
	if l, b := touch(dl), touch(db); l != b {
		t.Errorf("accessors sum up to %d in little endian, %d in big", l, b)
	}
	for id := range btf.ID(dl.Len()) {
		if diff := btf.Diff(dl, id, db, id); diff != "" {
			t.Errorf("type %d: %s", id, diff)
		}
	}
}

func TestParseLongHeader(t *testing.T) {
	for _, length := range []int{28, 32, 40} {
		b, s := buildSample(binary.LittleEndian)
		b.hdrLen = length
		if got := parse(t, b).Type(s.flow).Name(); got != "flow" {
			t.Errorf("header of %d bytes: type %d is called %q", length, s.flow, got)
		}
	}
}

func TestParseChecksLayout(t *testing.T) {
	b, _ := buildSample(binary.LittleEndian)
	b.hdrLen = 32
	raw := b.raw()
	binary.LittleEndian.PutUint32(raw[28:], uint32(len(raw)))
	wantRefused(t, raw, "section of layout ends beyond")
}

func TestWideVlen(t *testing.T) {
	b := newBuilder(binary.LittleEndian)
	var values []value
	for range 70000 {
		values = append(values, value{"X", 7})
	}
	id := b.enum(btf.KindEnum, "many", 4, values...)
	if got := parse(t, b).Type(id).Vlen(); got != 70000 {
		t.Errorf("Vlen() = %d, want 70000", got)
	}
}

func TestParseRefuses(t *testing.T) {
	put := func(off int, w uint32) func([]byte) []byte {
		return func(raw []byte) []byte { binary.LittleEndian.PutUint32(raw[off:], w); return raw }
	}
	set := func(off int, v byte) func([]byte) []byte {
		return func(raw []byte) []byte { raw[off] = v; return raw }
	}
	tests := []struct {
		name string
		mess func([]byte) []byte
		want string // in the error
	}{
		{"empty", func([]byte) []byte { return nil }, "header is cut short"},
		{"magic", set(0, 0), "magic"},
		{"version", set(2, 2), "version 2"},
		{"flags", set(3, 1), "flags 1"},
		{"short header", put(4, 20), "header of 20 bytes"},
		{"odd header", put(4, 26), "header of 26 bytes"},
		{"long header", put(4, 1<<31), "header of 2147483648 bytes"},
		{"types outside", put(12, 1<<30), "section of types ends beyond"},
		{"types misplaced", put(8, 2), "does not begin at a multiple of 4"},
		{"types wrap around", put(8, 0xfffffffc), "section of types ends beyond"},
		{"strings outside", put(20, 1<<30), "section of strings ends beyond"},
		{"no strings", put(20, 0), "begin and end with a zero"},
		{"strings in types", put(16, 0), "lies in the type section"},
		{"unterminated", func(raw []byte) []byte { raw[len(raw)-1] = 'x'; return raw }, "begin and end with a zero"},
		{"kind void", set(24+7, 0), "void where a type of kind 1 to 19 should be"},
		{"kind 20", set(24+7, 20), "kind 20 where"},
		{"kind 33 is not 1", set(24+7, 33), "kind 33 where"},
		{"name", put(24, 1<<20), "type 1 at byte 24: its name is at 1048576"},
		{"int bits", put(24+12, 33), "int of 4 bytes with 33 bits at 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, _ := buildSample(binary.LittleEndian)
			wantRefused(t, tt.mess(b.raw()), tt.want)
		})
	}
}

func wantRefused(t *testing.T, raw []byte, want string) {
	t.Helper()
	d, err := btf.Parse(raw)
	if err == nil || d != nil {
		t.Fatal("Parse took it")
	}
	if !errors.Is(err, btf.ErrFormat) {
		t.Errorf("%v is not ErrFormat", err)
	}
	if _, ok := errors.AsType[*btf.Error](err); !ok {
		t.Errorf("%T is no *Error", err)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("error %q does not say %q", err, want)
	}
}

func TestParseRefusesTypes(t *testing.T) {
	const none = btf.ID(99)
	tests := []struct {
		want  string
		build func(b *builder, u32 btf.ID)
	}{
		{"ptr refers to type 99", func(b *builder, _ btf.ID) { b.ref(btf.KindPtr, "", none) }},
		{"type_tag refers to type 99", func(b *builder, _ btf.ID) { b.ref(btf.KindTypeTag, "x", none) }},
		{"array of type 99", func(b *builder, u32 btf.ID) { b.array(none, u32, 1) }},
		{"indexed by type 99", func(b *builder, u32 btf.ID) { b.array(u32, none, 1) }},
		{"member 1 is of type 99", func(b *builder, u32 btf.ID) { b.structure("s", 8, field{"a", u32, 0}, field{"b", none, 32}) }},
		{"parameter 0 is of type 99", func(b *builder, _ btf.ID) { b.proto(0, btf.Param{Name: "p", Type: none}) }},
		{"func_proto refers to type 99", func(b *builder, _ btf.ID) { b.proto(none) }},
		{"func of type 1, which is int", func(b *builder, u32 btf.ID) { b.function("f", u32, 0) }},
		{"var refers to type 99", func(b *builder, _ btf.ID) { b.variable("v", none, 0) }},
		{"entry 0 is type 1, which is int", func(b *builder, u32 btf.ID) { b.datasec(".data", 4, btf.VarSecinfo{Type: u32}) }},
		{"entry 0 is type 99, which is void", func(b *builder, _ btf.ID) { b.datasec(".data", 4, btf.VarSecinfo{Type: none}) }},
		{"decl_tag refers to type 99", func(b *builder, _ btf.ID) { b.add(btf.KindDeclTag, "t", false, 0, uint32(none), 0) }},
		{"enum of 3 bytes", func(b *builder, _ btf.ID) { b.enum(btf.KindEnum, "e", 3) }},
		{"enum64 of 16 bytes", func(b *builder, _ btf.ID) { b.enum(btf.KindEnum64, "e", 16) }},
		{"name of enumerator 0", func(b *builder, _ btf.ID) { b.add(btf.KindEnum, "e", false, 1, 4, 9999, 0) }},
		{"name of enumerator 1", func(b *builder, _ btf.ID) { b.add(btf.KindEnum64, "e", false, 2, 8, 0, 0, 0, 9999, 0, 0) }},
		{"name of member 0", func(b *builder, _ btf.ID) { b.add(btf.KindUnion, "u", false, 1, 8, 9999, 1, 0) }},
		{"name of parameter 0", func(b *builder, _ btf.ID) { b.add(btf.KindFuncProto, "", false, 1, 0, 9999, 1) }},
		{"struct of 24 bytes ends beyond", func(b *builder, _ btf.ID) { b.add(btf.KindStruct, "s", false, 1, 8) }},
		{"ends beyond the type section", func(b *builder, _ btf.ID) { b.add(btf.KindUnion, "s", false, 1<<24-1, 8) }},
		{"int of 16 bytes ends beyond", func(b *builder, _ btf.ID) { b.add(btf.KindInt, "i", false, 0, 4) }},
		{"cut short", func(b *builder, _ btf.ID) { b.types = append(b.types, 0, 0, 0, 0) }},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			orders(t, func(t *testing.T, order binary.ByteOrder) {
				b := newBuilder(order)
				tt.build(b, b.integer("unsigned int", 4, 0))
				wantRefused(t, b.raw(), tt.want)
			})
		})
	}
}

func TestErrorSaysWhere(t *testing.T) {
	b := newBuilder(binary.LittleEndian)
	u32 := b.integer("unsigned int", 4, 0)
	b.structure("s", 4, field{"a", u32, 0})
	id := b.ref(btf.KindPtr, "", 99)
	_, err := btf.Parse(b.raw())
	got, ok := errors.AsType[*btf.Error](err)
	if !ok {
		t.Fatalf("%v is no *Error", err)
	}
	want := &btf.Error{Err: btf.ErrFormat, Offset: 24 + 16 + 24, ID: id, Reason: "ptr refers to type 99, and there is none"}
	if diff := cmp.Diff(want.Error(), got.Error()); diff != "" {
		t.Error(diff)
	}
	if *got != *want {
		t.Errorf("got %+v, want %+v", *got, *want)
	}
}

func TestParseAllocatesLittle(t *testing.T) {
	b, _ := buildSample(binary.LittleEndian)
	raw := b.raw()
	got := testing.AllocsPerRun(100, func() {
		if _, err := btf.Parse(raw); err != nil {
			t.Fatal(err)
		}
	})
	if got > 3 {
		t.Errorf("Parse makes %v allocations, want 3 at most", got)
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	b, s := buildSample(binary.LittleEndian)
	d := parse(t, b)
	var sum uint64
	got := testing.AllocsPerRun(100, func() {
		for _, m := range d.Type(s.flow).Members() {
			sum += uint64(len(m.Name))
		}
		for _, e := range d.Type(s.wide).Enums() {
			sum += e.Value
		}
		if typ, ok := d.Find(btf.KindStruct, "bits"); ok {
			sum += uint64(typ.Size())
		}
		if btf.Equal(d, s.flow, d, s.typetag) {
			sum++
		}
	})
	if got != 0 {
		t.Errorf("reading makes %v allocations, want none (sum %d)", got, sum)
	}
}
