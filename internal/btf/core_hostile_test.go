package btf_test

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/internal/btf"
)

// TestCOREAmbiguous gives the kernel two types of one name.
func TestCOREAmbiguous(t *testing.T) {
	both := func(a, b types) types {
		return func(bld *builder) btf.ID { a(bld); return b(bld) }
	}
	runCore(t, map[string]coreCase{
		"same place":   {local: s("s", 0), kernel: both(s("s", 8), s("s___2", 8)), access: "0:1", want: field32(4, 12)},
		"other places": {local: s("s", 0), kernel: both(s("s", 8), s("s", 16)), access: "0:1", err: btf.ErrAmbiguous, says: "offset would be 12 in one and 20"},
		"one fits":     {local: s("s", 0), kernel: both(composite(btf.KindStruct, "s"), s("s", 16)), access: "0:1", want: field32(4, 20)},
		"both exist":   {local: s("s", 0), kernel: both(s("s", 8), s("s", 8)), kind: btf.CORETypeExists, access: "0", want: known(1, 1)},
		"two ids":      {local: s("s", 0), kernel: both(s("s", 8), s("s", 8)), kind: btf.CORETypeIDTarget, access: "0", err: btf.ErrAmbiguous, says: "id would be"},
		"values":       {local: enumeration(btf.KindEnum, false, value{"A", 1}), kernel: both(enumeration(btf.KindEnum, false, value{"A", 2}), enumeration(btf.KindEnum, false, value{"A", 3})), kind: btf.COREEnumValue, access: "0", err: btf.ErrAmbiguous, says: "value would be 2"},
		"sizes of one place": {local: one("a", btf.KindInt, 4), kernel: both(one("a", btf.KindInt, 4), one("a", btf.KindInt, 8)), access: "0:0",
			want: btf.Fix{OldSize: 4, NewSize: 4, BadSize: true, Known: true}},
	})
}

// TestCOREDropsCandidates wants what did not fit one access left out of the next, as libbpf does.
func TestCOREDropsCandidates(t *testing.T) {
	b := newBuilder(binary.LittleEndian)
	u32 := b.integer("unsigned int", 4, 0)
	local := b.structure("s", 8, field{"only", u32, 0}, field{"both", u32, 32})
	relos := []btf.CORERelo{{Type: local, AccessOff: b.str("0:0")}, {Type: local, AccessOff: b.str("0:1")}}
	k := newBuilder(binary.LittleEndian)
	number := k.integer("unsigned int", 4, 0)
	k.structure("s", 8, field{"both", number, 32})
	k.structure("s", 16, field{"only", number, 0}, field{"both", number, 64})
	for name, order := range map[string][]btf.CORERelo{"telling one first": relos, "ambiguous first": {relos[1], relos[0]}} {
		r := btf.NewRelocator(parse(t, b))
		for _, relo := range order {
			r.Add(relo)
		}
		if err := r.Search(parse(t, k)); err != nil {
			t.Fatal(err)
		}
		var got []uint64
		for _, relo := range order {
			fix, err := r.Fit(relo)
			if err != nil {
				got = append(got, 99)
				continue
			}
			got = append(got, fix.New)
		}
		want := map[string][]uint64{"telling one first": {0, 8}, "ambiguous first": {99, 0}}[name]
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

// deepArrays is an array of arrays of arrays, seventy times: two for each struct in between.
func deepArrays(b *builder) btf.ID {
	id := b.integer("int", 4, 0)
	for range 35 {
		id = b.structure("s", 4, field{"a", b.array(id, id, 1), 0})
	}
	return id
}

func TestCOREMalformed(t *testing.T) {
	at := "btf: malformed: .BTF.ext byte 20: core_relo record: "
	refused := func(kind btf.COREKind, access, says string) coreCase {
		return coreCase{local: s("s", 0), kernel: s("s", 0), kind: kind, access: access, err: btf.ErrFormat, says: at + says}
	}
	runCore(t, map[string]coreCase{
		"kind":          refused(13, "0", "kind 13 is not known"),
		"empty":         refused(0, "", `access "" does not begin with a number`),
		"negative":      refused(0, "-1:0", `access "-1:0" does not begin`),
		"colon":         refused(0, "0:", `access "0:" is no list`),
		"too large":     refused(0, "0:2147483648", `access "0:2147483648" is no list of numbers below 2147483648`),
		"quoted":        refused(0, "0:\n", `access "0:\n" is no list`),
		"no member":     refused(0, "0:9", "struct s has only 6 members, and none with index 9"),
		"no element":    refused(0, "0:2:4", "an array of 4 elements has none with index 4"),
		"into a number": refused(0, "0:0:0", "it goes into unsigned int, which has no members"),
		"too long": {local: deepArrays, kernel: deepArrays, access: strings.Repeat("0:", 70) + "0", err: btf.ErrFormat,
			says: at + "it goes through more than 64"},
		"far":            refused(0, "2147483647", "it goes 4 GiB or more"),
		"type with more": refused(btf.CORETypeExists, "0:0", `access "0:0" is not the 0 of a type`),
		"void":           {local: func(*builder) btf.ID { return 0 }, access: "0", err: btf.ErrFormat, says: "type 0, void, has no size"},
		"anonymous": {local: s("", 0), kernel: s("", 0), access: "0:0", err: btf.ErrFormat,
			says: at + "anonymous struct has no name to look for in the kernel"},
	})
}

func TestDescribeAccess(t *testing.T) {
	color := enumeration(btf.KindEnum, false, value{"RED", 1})
	for _, c := range []struct {
		local  types
		kind   btf.COREKind
		access string
		want   string
	}{
		{s("task", 0), btf.COREFieldByteOffset, "0:2:3", "offset of struct task.list[3]"},
		{s("task", 0), btf.COREFieldExists, "1:3:1", "existence of struct task[1].in.y"},
		{s("task", 0), btf.COREFieldLShift, "0:4:0", "left shift of struct task.deep"},
		{s("a\nb", 0), btf.CORETypeSize, "0", `size of struct "a\nb"`},
		{color, btf.COREEnumValue, "0", "value of enum e.RED"},
		{color, btf.COREEnumExists, "7", `existence of enum e, access "7"`},
		{s("task", 0), 99, "0:\x01", `CO-RE kind 99 of struct task, access "0:\x01"`},
	} {
		_, got, _ := (&coreCase{local: c.local, kind: c.kind, access: c.access}).fit(t, binary.LittleEndian)
		if got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// TestCOREBounded wants an end, and no panic, where types contain themselves or take forever to compare.
func TestCOREBounded(t *testing.T) {
	loop := func(kind btf.Kind) types { // two that refer to each other
		return func(b *builder) btf.ID {
			b.ref(kind, "s", b.next+1)
			return b.ref(kind, "s", b.next-1)
		}
	}
	self := func(b *builder) btf.ID {
		return b.structure("s", 8, field{"", b.next, 0}, field{"", b.next, 0}, field{"", b.next, 0})
	}
	wide := func(b *builder) btf.ID {
		n, fields := b.integer("int", 4, 0), make([]field, 20000)
		for i := range fields {
			fields[i] = field{strconv.Itoa(i), n, 0}
		}
		return b.structure("s", 8, fields...)
	}
	number := func(b *builder) btf.ID { return b.structure("s", 8, field{"a", b.integer("int", 4, 0), 0}) }
	proto := func(b *builder) btf.ID { // a function that takes itself
		return b.ref(btf.KindTypedef, "s", b.proto(0, btf.Param{Type: b.next}, btf.Param{Type: b.next}))
	}
	start := time.Now()
	runCore(t, map[string]coreCase{
		"typedefs":        {local: loop(btf.KindTypedef), access: "0", err: btf.ErrFormat, says: "lies behind more than 32 others"},
		"typedefs there":  {local: func(b *builder) btf.ID { return b.ref(btf.KindTypedef, "s", number(b)) }, kernel: loop(btf.KindTypedef), access: "0:0", err: btf.ErrFormat, says: "in the kernel's BTF: type"},
		"pointers":        {local: loop(btf.KindPtr), kernel: loop(btf.KindPtr), kind: btf.CORETypeExists, access: "0", err: btf.ErrFormat, says: "chained more than 32 deep"},
		"matching loop":   {local: loop(btf.KindPtr), kernel: loop(btf.KindPtr), kind: btf.CORETypeMatches, access: "0", err: btf.ErrFormat, says: "chained more than 32 deep"},
		"functions":       {local: proto, kernel: proto, kind: btf.CORETypeExists, access: "0", err: btf.ErrFormat, says: "more than 32 deep"},
		"functions match": {local: proto, kernel: proto, kind: btf.CORETypeMatches, access: "0", err: btf.ErrFormat, says: "nested more than 32 deep"},
		"anonymous self":  {local: number, kernel: self, access: "0:0", err: btf.ErrFormat, says: "it goes through more than 64"},
		"self here":       {local: self, kernel: self, access: "0:1", want: sized(0, 0, 8, 8)},
		"wide":            {local: wide, kernel: wide, kind: btf.CORETypeMatches, access: "0", err: btf.ErrLimit, says: "takes too long"},
	})
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
}

// Many names that are tails of one long string would take minutes to read whole.
func TestCORESearchIsBounded(t *testing.T) {
	b := newBuilder(binary.LittleEndian)
	b.str(strings.Repeat("a", 60000))
	for range 1000000 {
		b.types = appendWords(b.types, b.order, 1, uint32(btf.KindFwd)<<24, 0)
	}
	local := newBuilder(binary.LittleEndian)
	relo := btf.CORERelo{Type: local.ref(btf.KindFwd, "s", 0), Kind: btf.CORETypeExists, AccessOff: local.str("0")}
	r := btf.NewRelocator(parse(t, local))
	r.Add(relo)
	kernel, start := parse(t, b), time.Now()
	if err := r.Search(kernel); !errors.Is(err, btf.ErrLimit) {
		t.Errorf("error %v, want ErrLimit", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestCOREByteOrder(t *testing.T) {
	r := btf.NewRelocator(parse(t, newBuilder(binary.LittleEndian)))
	if err := r.Search(parse(t, newBuilder(binary.BigEndian))); !errors.Is(err, btf.ErrFormat) {
		t.Errorf("BTF of another byte order: %v", err)
	}
}
