package btf_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/internal/btf"
)

// types writes types, and returns the one that a relocation begins at.
type types func(b *builder) btf.ID

// coreCase is one relocation, and what becomes of it.
type coreCase struct {
	local   types
	kernel  types // nil: the kernel has nothing
	modules []types
	kind    btf.COREKind
	access  string
	want    btf.Fix
	err     error
	says    string
}

// fit decides one relocation, and describes it.
func (c *coreCase) fit(t *testing.T, order binary.ByteOrder) (btf.Fix, string, error) {
	t.Helper()
	b := newBuilder(order)
	relo := btf.CORERelo{Type: c.local(b), AccessOff: b.str(c.access), Kind: c.kind, At: 20}
	local := parse(t, b)
	r := btf.NewRelocator(local)
	r.Add(relo)
	kernel := newBuilder(order)
	kernel.integer("some other type", 4, 0)
	if c.kernel != nil {
		c.kernel(kernel)
	}
	base := parse(t, kernel)
	if err := r.Search(base); err != nil {
		t.Fatal(err)
	}
	modules := c.modules
	if !r.Lacks() {
		modules = nil
	}
	for _, types := range modules {
		module := splitOn(kernel)
		types(module)
		d, err := btf.ParseSplit(module.raw(), base)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Search(d); err != nil {
			t.Fatal(err)
		}
	}
	fix, err := r.Fit(relo)
	return fix, local.DescribeAccess(relo), err
}

func runCore(t *testing.T, cases map[string]coreCase) {
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			orders(t, func(t *testing.T, order binary.ByteOrder) {
				fix, _, err := c.fit(t, order)
				if c.err != nil {
					if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.says) {
						t.Errorf("error %v, want one that says %q", err, c.says)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, fix); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		})
	}
}

// s is a struct with one member of each sort, at offsets of its own.
func s(name string, shift uint32) types {
	return func(b *builder) btf.ID {
		u32, i32, u64 := b.integer("unsigned int", 4, 0), b.integer("int", 4, btf.IntSigned), b.integer("unsigned long", 8, 0)
		list := b.array(u32, u32, 4)
		rest := b.array(u64, u32, 0)
		inner := b.structure("inner", 8, field{"x", u32, 0}, field{"y", i32, 32})
		anonymous := b.structure("", 8, field{"deep", u64, 0})
		base := 8 * shift
		return b.structure(name, 64+shift, field{"a", u32, base}, field{"b", i32, base + 32}, field{"list", list, base + 64},
			field{"in", inner, base + 192}, field{"", anonymous, base + 256}, field{"rest", rest, base + 320})
	}
}

func field32(old, now uint64) btf.Fix { return sized(old, now, 4, 4) }

func sized(old, now uint64, oldSize, newSize uint32) btf.Fix {
	return btf.Fix{Old: old, New: now, Known: true, OldSize: oldSize, NewSize: newSize}
}

func known(old, now uint64) btf.Fix { return btf.Fix{Old: old, New: now, Known: true} }

func TestCOREFields(t *testing.T) {
	runCore(t, map[string]coreCase{
		"offset":                {local: s("s", 0), kernel: s("s", 8), access: "0:1", want: field32(4, 12)},
		"of an element":         {local: s("s", 0), kernel: s("s", 8), access: "0:2:3", want: field32(20, 28)},
		"nested":                {local: s("s", 0), kernel: s("s", 8), access: "0:3:1", want: field32(28, 36)},
		"in an anonymous":       {local: s("s", 0), kernel: s("s", 8), access: "0:4:0", want: sized(32, 40, 8, 8)},
		"flexible":              {local: s("s", 0), kernel: s("s", 8), access: "0:5:7", want: sized(96, 104, 8, 8)},
		"another root":          {local: s("s", 0), kernel: s("s", 8), access: "2:0", want: field32(128, 152)},
		"whole":                 {local: s("s", 0), kernel: s("s", 8), access: "1", want: btf.Fix{Old: 64, New: 72, OldSize: 64, NewSize: 72, BadSize: true, Known: true}},
		"size":                  {local: s("s", 0), kernel: s("s", 8), kind: btf.COREFieldByteSize, access: "0:2", want: known(16, 16)},
		"size of an element":    {local: s("s", 0), kernel: s("s", 8), kind: btf.COREFieldByteSize, access: "0:2:1", want: known(4, 4)},
		"exists":                {local: s("s", 0), kernel: s("s", 8), kind: btf.COREFieldExists, access: "0:5", want: known(1, 1)},
		"signed":                {local: s("s", 0), kernel: s("s", 8), kind: btf.COREFieldSigned, access: "0:1", want: known(1, 1)},
		"unsigned":              {local: s("s", 0), kernel: s("s", 8), kind: btf.COREFieldSigned, access: "0:0", want: known(0, 0)},
		"right shift":           {local: s("s", 0), kernel: s("s", 8), kind: btf.COREFieldRShift, access: "0:0", want: known(32, 32)},
		"flavor here":           {local: s("s___old", 0), kernel: s("s", 8), access: "0:1", want: field32(4, 12)},
		"flavor there":          {local: s("s", 0), kernel: s("s___2", 8), access: "0:1", want: field32(4, 12)},
		"long name":             {local: s(strings.Repeat("long", 1000)+"___x", 0), kernel: s(strings.Repeat("long", 1000), 8), access: "0:1", want: field32(4, 12)},
		"no flavor":             {local: s("s____x", 0), kernel: s("s", 8), access: "0:1", want: btf.Fix{Old: 4, Missing: true}},
		"no kernel type":        {local: s("s", 0), access: "0:1", want: btf.Fix{Old: 4, Missing: true}},
		"exists in no type":     {local: s("s", 0), kind: btf.COREFieldExists, access: "0:1", want: btf.Fix{Old: 1}},
		"a union of that name":  {local: s("s", 0), kernel: composite(btf.KindUnion, "s"), access: "0:0", want: btf.Fix{Missing: true}},
		"no such member":        {local: s("s", 0), kernel: composite(btf.KindStruct, "s"), access: "0:0", want: btf.Fix{Missing: true, Known: true}},
		"no member to exist":    {local: s("s", 0), kernel: composite(btf.KindStruct, "s"), kind: btf.COREFieldExists, access: "0:0", want: known(1, 0)},
		"other kind of member":  {local: s("s", 0), kernel: one("a", btf.KindPtr, 8), access: "0:0", want: btf.Fix{Missing: true, Known: true}},
		"shorter array":         {local: s("s", 0), kernel: listOf(3), access: "0:2:3", want: btf.Fix{Old: 20, Missing: true, Known: true}},
		"array became flexible": {local: s("s", 0), kernel: listOf(0), access: "0:2:3", want: field32(20, 12)},
		"moved into a union":    {local: s("s", 0), kernel: inUnion, access: "0:0", want: field32(0, 24)},
	})
}

// composite is a struct or union with only a member that nobody asks for.
func composite(kind btf.Kind, name string) types {
	return func(b *builder) btf.ID {
		return b.composite(kind, name, false, 4, field{"other", b.integer("int", 4, 1), 0})
	}
}

// one is struct s with one member, an integer of that size without sign or something else.
func one(name string, kind btf.Kind, size uint32) types {
	return func(b *builder) btf.ID {
		var id btf.ID
		switch kind {
		case btf.KindPtr:
			id = b.ref(btf.KindPtr, "", 0)
		case btf.KindEnum, btf.KindEnum64:
			id = b.enum(kind, "", size)
		default:
			id = b.integer("number", size, 0)
		}
		return b.structure("s", size, field{name, id, 0})
	}
}

func listOf(count uint32) types {
	return func(b *builder) btf.ID {
		u32 := b.integer("unsigned int", 4, 0)
		return b.structure("s", 0, field{"list", b.array(u32, u32, count), 0})
	}
}

func inUnion(b *builder) btf.ID {
	u32 := b.integer("unsigned int", 4, 0)
	union := b.composite(btf.KindUnion, "", false, 4, field{"z", u32, 0}, field{"a", u32, 0})
	outer := b.structure("", 8, field{"q", u32, 0}, field{"", union, 32})
	return b.structure("s", 40, field{"", outer, 160})
}

// TestCORESizes wants loads and stores resized only where that reads the same value.
func TestCORESizes(t *testing.T) {
	bad := func(oldSize, newSize uint32) btf.Fix {
		f := sized(0, 0, oldSize, newSize)
		f.BadSize = true
		return f
	}
	signed := func(size uint32) types {
		return func(b *builder) btf.ID {
			return b.structure("s", size, field{"a", b.integer("i", size, btf.IntSigned), 0})
		}
	}
	signedChar := func(b *builder) btf.ID {
		return b.structure("s", 1, field{"a", b.integer("char", 1, btf.IntSigned|btf.IntChar), 0})
	}
	runCore(t, map[string]coreCase{
		"wider":           {local: one("a", btf.KindInt, 4), kernel: one("a", btf.KindInt, 8), access: "0:0", want: sized(0, 0, 4, 8)},
		"narrower":        {local: one("a", btf.KindInt, 4), kernel: one("a", btf.KindInt, 1), access: "0:0", want: sized(0, 0, 4, 1)},
		"signed":          {local: signed(4), kernel: signed(8), access: "0:0", want: bad(4, 8)},
		"signed there":    {local: one("a", btf.KindInt, 4), kernel: signed(8), access: "0:0", want: bad(4, 8)},
		"signed char":     {local: one("a", btf.KindInt, 4), kernel: signedChar, access: "0:0", want: bad(4, 1)},
		"same, signed":    {local: one("a", btf.KindInt, 4), kernel: signed(4), access: "0:0", want: sized(0, 0, 4, 4)},
		"enumerations":    {local: one("a", btf.KindEnum, 4), kernel: one("a", btf.KindEnum64, 8), access: "0:0", want: bad(4, 8)},
		"became a field":  {local: one("a", btf.KindInt, 4), kernel: bits(4, 0, 3, 0), access: "0:0", want: btf.Fix{OldSize: 4, BadSize: true, Known: true}},
		"pointers differ": {local: one("a", btf.KindPtr, 8), kernel: pointer32, access: "0:0", want: sized(0, 0, 8, 4)},
	})
}

// pointer32 has a pointer of 32 bits.
func pointer32(b *builder) btf.ID {
	b.integer("long", 4, 1)
	return b.structure("s", 4, field{"a", b.ref(btf.KindPtr, "", 0), 0})
}

// bits is struct s with a bit field a in an integer of that size.
func bits(size, start, count, encoding uint32) types {
	return func(b *builder) btf.ID {
		return b.composite(btf.KindStruct, "s", true, 16, field{"a", b.integer("i", size, encoding), start | count<<24})
	}
}
