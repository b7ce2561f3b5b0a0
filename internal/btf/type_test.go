package btf_test

import (
	"encoding/binary"
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pinion-bpf/pinion/internal/btf"
)

func TestAccessors(t *testing.T) {
	orders(t, func(t *testing.T, order binary.ByteOrder) {
		b, s := buildSample(order)
		d := parse(t, b)
		tests := []struct {
			what      string
			got, want any
		}{
			{"int size", d.Type(s.char).Size(), uint32(1)},
			{"int encoding", d.Type(s.char).IntEncoding(), btf.IntSigned},
			{"int bits", d.Type(s.char).IntBits(), uint32(8)},
			{"int offset", d.Type(s.char).IntOffset(), uint32(0)},
			{"int ref", d.Type(s.char).Ref(), btf.ID(0)},
			{"ptr ref", d.Type(s.ptr).Ref(), s.u32},
			{"ptr size", d.Type(s.ptr).Size(), uint32(0)},
			{"array", d.Type(s.arr).Array(), btf.Array{Elem: s.char, Index: s.u32, Count: 16}},
			{"array of a struct", d.Type(s.flow).Array(), btf.Array{}},
			{"struct size", d.Type(s.flow).Size(), uint32(32)},
			{"struct vlen", d.Type(s.flow).Vlen(), 3},
			{"struct ref", d.Type(s.flow).Ref(), btf.ID(0)},
			{"kind flag", d.Type(s.bits).KindFlag(), true},
			{"no kind flag", d.Type(s.flow).KindFlag(), false},
			{"func linkage", d.Type(s.prog).Linkage(), btf.LinkageGlobal},
			{"func ref", d.Type(s.prog).Ref(), s.proto},
			{"var linkage", d.Type(s.counter).Linkage(), btf.LinkageGlobal},
			{"struct linkage", d.Type(s.flow).Linkage(), uint32(0)},
			{"proto returns", d.Type(s.proto).Ref(), s.u32},
			{"tagged", d.Type(s.tag).Ref(), s.flow},
			{"tagged member", d.Type(s.tag).ComponentIndex(), int32(1)},
			{"component of no tag", d.Type(s.flow).ComponentIndex(), int32(-1)},
			{"float size", d.Type(s.dbl).Size(), uint32(8)},
			{"resolved", d.Resolve(s.typetag), d.Type(s.flow)},
			{"resolved at once", d.Resolve(s.ptr), d.Type(s.ptr)},
			{"members", collect(d.Type(s.flow).Members()), []btf.Member{{"src", s.addr, 0, 0}, {"ttl", s.u32, 128, 0}, {"next", s.ptr, 192, 0}}},
			{"bit fields", collect(d.Type(s.bits).Members()), []btf.Member{{"lo", s.u32, 0, 3}, {"hi", s.u32, 3, 5}}},
			{"union members", collect(d.Type(s.addr).Members()), []btf.Member{{"v4", s.u32, 0, 0}, {"v6", s.arr, 0, 0}}},
			{"members of an enum", collect(d.Type(s.state).Members()), []btf.Member(nil)},
			{"params", collect(d.Type(s.proto).Params()), []btf.Param{{"ctx", s.ptr}, {}}},
			{"params of a func", collect(d.Type(s.prog).Params()), []btf.Param(nil)},
			{"vars", collect(d.Type(s.bss).Vars()), []btf.VarSecinfo{{s.counter, 4, 4}}},
			{"enum", collect(d.Type(s.state).Enums()), []btf.Enumerator{{"UP", 1}, {"DOWN", 1<<64 - 1}}},
			{"enum64", collect(d.Type(s.wide).Enums()), []btf.Enumerator{{"BIG", 1 << 40}, {"NEG", 1<<64 - 2}}},
			{"no such type", d.Type(9999), btf.Type{}},
			{"no such string", d.String(1 << 20), ""},
		}
		for _, tt := range tests {
			if diff := cmp.Diff(tt.want, tt.got, cmp.Comparer(func(a, b btf.Type) bool { return a == b })); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.what, diff)
			}
		}
	})
}

func collect[T any](seq iter.Seq2[int, T]) (all []T) {
	for i, v := range seq {
		if i != len(all) {
			return nil
		}
		all = append(all, v)
	}
	return all
}

func TestIterationStops(t *testing.T) {
	b, s := buildSample(binary.LittleEndian)
	d := parse(t, b)
	steps := 0
	for range d.Type(s.flow).Members() {
		steps++
		break
	}
	for range d.Type(s.proto).Params() {
		steps++
		break
	}
	for range d.Type(s.bss).Vars() {
		steps++
		break
	}
	for range d.Type(s.wide).Enums() {
		steps++
		break
	}
	if steps != 4 {
		t.Errorf("%d steps, want 4", steps)
	}
}

// Nothing of the zero values, and nothing asked of the wrong kind, may panic.
func TestZeroValues(t *testing.T) {
	var d btf.Data
	if d.Len() != 1 || d.Type(0).Kind() != btf.KindVoid || d.String(0) != "" || d.Order() == nil {
		t.Error("the zero Data is not empty")
	}
	if n := touch(&d); n == 0 {
		t.Error("SizeOf(void) of the zero Data gives no error")
	}
	if _, ok := d.Find(btf.KindVoid, ""); ok {
		t.Error("Find found void")
	}
	if c := d.Copy(); c.Len() != 1 {
		t.Error("a copy of the zero Data is not empty")
	}
}

func TestKindString(t *testing.T) {
	if got := btf.KindEnum64.String(); got != "enum64" {
		t.Error(got)
	}
	if got := btf.Kind(20).String(); got != "kind 20" {
		t.Error(got)
	}
}

func TestFind(t *testing.T) {
	b, s := buildSample(binary.LittleEndian)
	d := parse(t, b)
	for _, tt := range []struct {
		kind btf.Kind
		name string
		want btf.ID
	}{
		{btf.KindStruct, "flow", s.flow}, {btf.KindInt, "char", s.char}, {btf.KindDatasec, ".bss", s.bss}, {btf.KindPtr, "", s.ptr},
		{btf.KindUnion, "flow", 0}, {btf.KindStruct, "flo", 0}, {btf.KindStruct, "flow_", 0}, {btf.KindStruct, strings.Repeat("x", 5000), 0},
	} {
		got, ok := d.Find(tt.kind, tt.name)
		if got.ID() != tt.want || ok != (tt.want != 0) {
			t.Errorf("Find(%v, %q) = %d, %v; want %d", tt.kind, tt.name, got.ID(), ok, tt.want)
		}
	}
}

func TestSizeOf(t *testing.T) {
	b, s := buildSample(binary.BigEndian)
	arr2 := b.array(s.arr, s.u32, 3)
	flex := b.array(s.u32, s.u32, 0)
	huge := b.array(s.u32, s.u32, 1<<30)
	huger := b.array(b.array(s.u32, s.u32, 1<<16), s.u32, 1<<16)
	void := b.array(0, s.u32, 1)
	d := parse(t, b)
	for _, tt := range []struct {
		id   btf.ID
		want uint32
		bad  string
	}{
		{id: s.u32, want: 4}, {id: s.ptr, want: 8}, {id: s.arr, want: 16}, {id: s.flow, want: 32}, {id: s.typetag, want: 32}, {id: s.state, want: 4},
		{id: s.wide, want: 8}, {id: s.dbl, want: 8}, {id: s.counter, want: 4}, {id: s.bss, want: 8}, {id: s.tag, want: 32}, {id: arr2, want: 48}, {id: flex, want: 0},
		{id: 0, bad: "void has none"}, {id: s.fwd, bad: "fwd has none"}, {id: s.prog, bad: "func has none"}, {id: s.proto, bad: "func_proto has none"},
		{id: huge, bad: "4 GiB or more"}, {id: huger, bad: "4 GiB or more"}, {id: void, bad: "void has none"}, {id: 9999, bad: "void has none"},
	} {
		got, err := d.SizeOf(tt.id)
		switch {
		case tt.bad == "" && (err != nil || got != tt.want):
			t.Errorf("SizeOf(%d) = %d, %v; want %d", tt.id, got, err, tt.want)
		case tt.bad != "" && (!errors.Is(err, btf.ErrNoSize) || !strings.Contains(err.Error(), tt.bad)):
			t.Errorf("SizeOf(%d) = %d, %v; want an ErrNoSize that says %q", tt.id, got, err, tt.bad)
		}
	}
}

func TestPointerSizeIsThatOfLong(t *testing.T) {
	b := newBuilder(binary.LittleEndian)
	b.integer("long unsigned int", 4, 0)
	p := b.ref(btf.KindPtr, "", 0)
	if got, err := parse(t, b).SizeOf(p); got != 4 || err != nil {
		t.Errorf("SizeOf(pointer) = %d, %v; want 4", got, err)
	}
}

func TestEdit(t *testing.T) {
	orders(t, func(t *testing.T, order binary.ByteOrder) {
		b, s := buildSample(order)
		d := parse(t, b)
		before := string(d.Raw())
		c := d.Copy()
		for _, err := range []error{
			c.SetDatasecSize(s.bss, 64), c.SetVarSecinfo(s.bss, 0, 16, 8),
			c.SetFuncLinkage(s.prog, btf.LinkageStatic), c.SetVarLinkage(s.counter, btf.LinkageExtern),
		} {
			if err != nil {
				t.Error(err)
			}
		}
		if string(d.Raw()) != before {
			t.Error("an edit of the copy changed the original")
		}
		again, err := btf.Parse(c.Raw())
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []*btf.Data{c, again} {
			if d.Type(s.bss).Size() != 64 || d.Type(s.prog).Linkage() != btf.LinkageStatic || d.Type(s.counter).Linkage() != btf.LinkageExtern {
				t.Error("an edit is not there")
			}
			want := []btf.VarSecinfo{{s.counter, 16, 8}}
			if diff := cmp.Diff(want, collect(d.Type(s.bss).Vars())); diff != "" {
				t.Error(diff)
			}
			if d.Type(s.prog).Kind() != btf.KindFunc || d.Type(s.prog).Ref() != s.proto {
				t.Error("setting a linkage changed the func")
			}
		}
	})
}

func TestEditRefuses(t *testing.T) {
	b, s := buildSample(binary.LittleEndian)
	d := parse(t, b)
	c := d.Copy()
	for want, err := range map[string]error{
		"not a Copy":                          d.SetDatasecSize(s.bss, 1),
		"it is struct, not datasec":           c.SetDatasecSize(s.flow, 1),
		"it is void, not datasec":             c.SetVarSecinfo(9999, 0, 1, 1),
		"the datasec has only 1 entries":      c.SetVarSecinfo(s.bss, 1, 1, 1),
		"at byte 320: the datasec has only 1": c.SetVarSecinfo(s.bss, -1, 1, 1),
		"linkage 3 is none of":                c.SetFuncLinkage(s.prog, 3),
		"it is func, not var":                 c.SetVarLinkage(s.prog, 0),
		"it is var, not func":                 c.SetFuncLinkage(s.counter, 0),
	} {
		if !errors.Is(err, btf.ErrEdit) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an ErrEdit that says %q", err, want)
		}
	}
	if string(c.Raw()) != string(d.Raw()) {
		t.Error("a refused edit changed something")
	}
}
