package btf_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/internal/btf"
)

const allParts = btf.PartLayout<<1 - 1

// partsSample has each part once, and of each kind what must stay as it is.
func partsSample(order binary.ByteOrder) *builder {
	b := newBuilder(order)
	b.hdrLen = 32
	u32 := b.integer("unsigned int", 4, 0)
	b.add(btf.KindFloat, "double", false, 0, 8)
	b.enum(btf.KindEnum, "plain", 4, value{"A", 1})
	b.add(btf.KindEnum, "signed", true, 1, 4, b.str("B"), 1<<32-1)
	b.enum(btf.KindEnum64, "wide", 8, value{"BIG", 1 << 40}, value{"NEG", -2})
	v := b.variable("hits", u32, btf.LinkageGlobal)
	b.add(btf.KindDeclTag, "arg:ctx", false, 0, uint32(v), 1<<32-1)
	b.ref(btf.KindTypeTag, "kptr", u32)
	b.add(btf.KindTypeTag, "address_space(1)", true, 0, uint32(u32))
	b.datasec(".bss", 4, btf.VarSecinfo{Type: v, Size: 4})
	b.datasec("?.struct_ops", 4, btf.VarSecinfo{Type: v, Size: 4})
	return b
}

// outline describes each type in words: its kind, its flag, its name, and its members.
func outline(d *btf.Data) (all []string) {
	for id := range btf.ID(d.Len()) {
		typ := d.Type(id)
		s := typ.Kind().String()
		if typ.KindFlag() {
			s += " flagged"
		}
		s += " " + typ.Name()
		for _, m := range typ.Members() {
			s += " " + m.Name + ":" + d.Type(m.Type).Name()
		}
		all = append(all, s)
	}
	return all[1:]
}

func TestWithout(t *testing.T) {
	before := []string{
		"int unsigned int", "float double", "enum plain", "enum flagged signed", "enum64 wide", "var hits", "decl_tag arg:ctx",
		"type_tag kptr", "type_tag flagged address_space(1)", "datasec .bss", "datasec ?.struct_ops",
	}
	changed := func(change map[int]string, more ...string) []string {
		after := append([]string(nil), before...)
		for i, s := range change {
			after[i] = s
		}
		return append(after, more...)
	}
	wide := "union wide BIG:enum64_placeholder NEG:enum64_placeholder"
	for name, c := range map[string]struct {
		lacks btf.Parts
		want  []string
	}{
		"nothing":   {btf.PartLayout, before},
		"float":     {btf.PartFloat, changed(map[int]string{1: "struct "})},
		"decl tag":  {btf.PartDeclTag, changed(map[int]string{6: "int arg:ctx"})},
		"type tag":  {btf.PartTypeTag, changed(map[int]string{7: "const ", 8: "const "})},
		"sign":      {btf.PartSignedEnum, changed(map[int]string{3: "enum signed"})},
		"enum64":    {btf.PartEnum64, changed(map[int]string{4: wide}, "int enum64_placeholder")},
		"section":   {btf.PartOptional, changed(map[int]string{10: "datasec _.struct_ops"})},
		"attribute": {btf.PartAttribute, changed(map[int]string{8: "const "})},
		"all": {allParts, changed(map[int]string{
			1: "struct ", 3: "enum signed", 4: wide, 6: "int arg:ctx", 7: "const ", 8: "const ", 10: "datasec _.struct_ops",
		}, "int enum64_placeholder")},
	} {
		t.Run(name, func(t *testing.T) {
			orders(t, func(t *testing.T, order binary.ByteOrder) {
				d := parse(t, partsSample(order))
				if d.Parts() != allParts {
					t.Errorf("the sample has parts %b, not %b", d.Parts(), allParts)
				}
				known, err := d.Without(c.lacks)
				if err != nil {
					t.Fatal(err)
				}
				again, err := btf.Parse(known.Raw())
				if err != nil {
					t.Fatal(err)
				}
				if got, want := again.Parts(), allParts&^c.lacks&^btf.PartLayout; c.lacks&btf.PartTypeTag == 0 && got != want {
					t.Errorf("parts %b are left, want %b", got, want)
				}
				if diff := cmp.Diff(c.want, outline(again)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				if diff := cmp.Diff(before, outline(d)); diff != "" {
					t.Errorf("the original was changed: -want +got:\n%s", diff)
				}
			})
		})
	}
}

// TestProbes checks that each probe has the part that it is for, and no other that came later.
func TestProbes(t *testing.T) {
	orders(t, func(t *testing.T, order binary.ByteOrder) {
		d := parse(t, newBuilder(order))
		for part := btf.Parts(1); part < btf.PartLayout; part <<= 1 {
			probe, err := btf.Parse(d.Probe(part))
			if err != nil {
				t.Errorf("part %b: %v", part, err)
				continue
			}
			if got := probe.Parts(); got&part == 0 || got >= part<<1 || probe.Order() != order {
				t.Errorf("the probe for part %b has %b", part, got)
			}
		}
		if d.Probe(btf.PartLayout) != nil {
			t.Error("there is a probe for the layout section")
		}
	})
}

func TestWithoutOfSplit(t *testing.T) {
	base, _ := buildSample(binary.LittleEndian)
	d, err := btf.ParseSplit(splitOn(base).raw(), parse(t, base))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Without(btf.PartFloat); !errors.Is(err, btf.ErrEdit) {
		t.Errorf("error %v, want ErrEdit", err)
	}
}
