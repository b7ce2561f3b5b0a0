package btf_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/pinion-bpf/pinion/internal/btf"
)

// splitOn makes a builder of BTF that goes on from that of base.
func splitOn(base *builder) *builder {
	b := newBuilder(base.order)
	b.next, b.strBase, b.strs = base.next, uint32(len(base.strs)), nil
	return b
}

func TestParseSplit(t *testing.T) {
	orders(t, func(t *testing.T, order binary.ByteOrder) {
		base := newBuilder(order)
		number := base.integer("int", 4, 1)
		base.structure("shared", 4, field{"x", number, 0})
		whole := parse(t, base)
		b := splitOn(base)
		b.structure("own", 8, field{"first", number, 0}, field{"second", 3, 32})
		d, err := btf.ParseSplit(b.raw(), whole)
		if err != nil {
			t.Fatal(err)
		}
		own, ok := d.Find(btf.KindStruct, "own")
		if !ok || own.ID() != 3 || d.Len() != 4 || own.Member(0).Name != "first" || own.Member(1).Name != "second" {
			t.Errorf("own struct: %v %d of %d types", ok, own.ID(), d.Len())
		}
		if shared := d.Type(2); shared.Name() != "shared" || shared.Member(0).Name != "x" || d.Type(own.Member(0).Type).Name() != "int" {
			t.Errorf("type 2 is %q", shared.Name())
		}
		if _, ok := d.Find(btf.KindStruct, "shared"); ok {
			t.Error("Find finds what is the base's")
		}
		if d.Type(4).Kind() != btf.KindVoid || d.Type(0).Kind() != btf.KindVoid {
			t.Error("types that there are not")
		}
		empty, err := btf.ParseSplit(splitOn(base).raw(), whole)
		if err != nil || empty.Len() != 3 || empty.Type(1).Name() != "int" {
			t.Errorf("without a type of its own: %v", err)
		}
	})
}

func TestParseSplitRefuses(t *testing.T) {
	base := newBuilder(binary.LittleEndian)
	number := base.integer("int", 4, 1)
	whole := parse(t, base)
	for name, build := range map[string]func() []byte{
		"a type beyond both": func() []byte { b := splitOn(base); b.ref(btf.KindPtr, "", 9); return b.raw() },
		"a string beyond both": func() []byte {
			b := splitOn(base)
			b.strBase += 99
			b.ref(btf.KindTypedef, "t", number)
			return b.raw()
		},
		"another byte order": func() []byte {
			b := newBuilder(binary.BigEndian)
			b.strs = nil
			return b.raw()
		},
	} {
		if _, err := btf.ParseSplit(build(), whole); !errors.Is(err, btf.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	d, err := btf.ParseSplit(splitOn(base).raw(), whole)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := btf.ParseSplit(splitOn(base).raw(), d); !errors.Is(err, btf.ErrFormat) {
		t.Errorf("split BTF on split BTF: %v", err)
	}
}
