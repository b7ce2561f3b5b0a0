package btf_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/internal/btf"
)

// externsSample is an object with a variable, a function whose parameters have no names, and one without any.
func externsSample(order binary.ByteOrder) (b *builder, datasec btf.ID) {
	b = newBuilder(order)
	u32 := b.integer("unsigned int", 4, 0)
	constant := b.ref(btf.KindConst, "", u32)
	v := b.variable("hits", constant, btf.LinkageExtern)
	f := b.function("count", b.proto(u32, btf.Param{Type: u32}, btf.Param{Name: "x", Type: u32}), btf.LinkageExtern)
	g := b.function("nothing", b.proto(0), btf.LinkageExtern)
	return b, b.datasec(".ksyms", 0, btf.VarSecinfo{Type: v}, btf.VarSecinfo{Type: f}, btf.VarSecinfo{Type: g})
}

func TestHideExterns(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		b, datasec := externsSample(order)
		d := parse(t, b)
		if err := d.HideExterns(datasec); !errors.Is(err, btf.ErrEdit) {
			t.Errorf("not a copy: %v", err)
		}
		c := d.Copy()
		if err := c.HideExterns(1); !errors.Is(err, btf.ErrEdit) {
			t.Errorf("not a DATASEC: %v", err)
		}
		if err := c.HideExterns(datasec); err != nil {
			t.Fatal(err)
		}
		again := reparse(t, c)
		want := []string{
			"int unsigned int", "const ", "int hits", "func_proto ", "func count", "func_proto ", "func nothing",
			"struct  :unsigned int :unsigned int :unsigned int",
		}
		if diff := cmp.Diff(want, outline(again)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		var names []string
		for _, p := range again.Type(4).Params() {
			names = append(names, p.Name)
		}
		if diff := cmp.Diff([]string{"count", "x"}, names); diff != "" {
			t.Errorf("parameters, -want +got:\n%s", diff)
		}
		if hits := again.Type(3); hits.Size() != 1 || hits.IntBits() != 8 || again.Type(datasec).Size() != 4 {
			t.Errorf("hits has %d bytes and %d bits, the struct %d bytes", hits.Size(), hits.IntBits(), again.Type(datasec).Size())
		}
	}
	b := newBuilder(binary.LittleEndian)
	f := b.function("nothing", b.proto(0), btf.LinkageExtern)
	c := parse(t, b).Copy()
	if err := c.HideExterns(b.datasec(".ksyms", 0, btf.VarSecinfo{Type: f})); !errors.Is(err, btf.ErrEdit) {
		t.Errorf("a DATASEC that is not in it: %v", err)
	}
	c = parse(t, b).Copy()
	if err := c.HideExterns(3); !errors.Is(err, btf.ErrEdit) {
		t.Errorf("no integer: %v", err)
	}
}

// reparse reads once more what was edited, as the kernel does.
func reparse(t *testing.T, d *btf.Data) *btf.Data {
	t.Helper()
	again, err := btf.Parse(d.Raw())
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestFindAll(t *testing.T) {
	base := newBuilder(binary.LittleEndian)
	u32 := base.integer("u32", 4, 0)
	first := base.function("twice", base.proto(u32), btf.LinkageStatic)
	base.function("twice", base.proto(0), btf.LinkageStatic)
	kernel := parse(t, base)
	b := newBuilder(binary.LittleEndian)
	b.next, b.strBase, b.strs = btf.ID(kernel.Len()), uint32(len(base.strs)), nil
	inModule := b.function("of_module", first+1, btf.LinkageStatic)
	b.function("twice", first+1, btf.LinkageStatic)
	module, err := btf.ParseSplit(b.raw(), kernel)
	if err != nil {
		t.Fatal(err)
	}
	wanted := []btf.Wanted{
		{Kind: btf.KindFunc, Name: "twice"}, {Kind: btf.KindVar, Name: "twice"}, {Kind: btf.KindFunc, Name: "of_module"},
		{Kind: btf.KindFunc, Name: "twice"}, {Kind: btf.KindFunc, Name: "u32"}, {Kind: btf.KindInt, Name: "u32"}, {Kind: btf.KindFunc},
	}
	found := func() (ids []btf.ID) {
		for _, w := range wanted {
			ids = append(ids, w.Type.ID())
		}
		return ids
	}
	kernel.FindAll(wanted)
	if diff := cmp.Diff([]btf.ID{first, 0, 0, first, 0, u32, 0}, found()); diff != "" {
		t.Errorf("in the kernel, -want +got:\n%s", diff)
	}
	module.FindAll(wanted)
	if diff := cmp.Diff([]btf.ID{first, 0, inModule, first, 0, u32, 0}, found()); diff != "" {
		t.Errorf("in the module too, -want +got:\n%s", diff)
	}
	new(btf.Data).FindAll(wanted)
	kernel.FindAll(nil)
}

func TestFits(t *testing.T) {
	b := newBuilder(binary.LittleEndian)
	u32 := b.integer("u32", 4, 0)
	s := b.structure("s", 4, field{"x", u32, 0})
	pointer, constant := b.ref(btf.KindPtr, "", s), b.ref(btf.KindConst, "", s)
	declared := b.ref(btf.KindPtr, "", b.ref(btf.KindFwd, "s", 0))
	loop := b.ref(btf.KindTypedef, "loop", b.next)
	function := func(returns btf.ID, params ...btf.Param) btf.ID {
		return b.function("f", b.proto(returns, params...), btf.LinkageExtern)
	}
	variable := func(typ btf.ID) btf.ID { return b.variable("v", typ, btf.LinkageExtern) }
	cases := []struct {
		a, b    btf.ID
		fits    bool
		refused bool
	}{
		{a: function(u32), b: function(u32), fits: true},
		{a: function(u32), b: function(0)},
		{a: function(0), b: function(0, btf.Param{Name: "x", Type: u32})},
		{a: function(0, btf.Param{Type: pointer}), b: function(0, btf.Param{Name: "x", Type: b.ref(btf.KindPtr, "", constant)}), fits: true},
		{a: function(0, btf.Param{Type: declared}), b: function(0, btf.Param{Type: pointer})}, // as for libbpf
		{a: variable(s), b: variable(constant), fits: true},
		{a: variable(constant), b: variable(u32)},
		{a: variable(loop), b: variable(u32), refused: true},
	}
	d := parse(t, b)
	for i, c := range cases {
		fits, err := btf.NewRelocator(d).Fits(d.Type(c.a), d.Type(c.b))
		if fits != c.fits || (err != nil) != c.refused {
			t.Errorf("case %d: fits %t, error %v", i, fits, err)
		}
	}
	for name, want := range map[string]string{"f": "f", "f___x": "f", "f__x": "f__x", "___x": "___x", "": ""} {
		if got := btf.EssentialName(name); got != want {
			t.Errorf("the name of %q without flavor is %q, not %q", name, got, want)
		}
	}
}
