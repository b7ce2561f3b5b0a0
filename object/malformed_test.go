package object_test

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// TestMalformed changes one thing in a good object, and wants it refused with words that name it.
func TestMalformed(t *testing.T) {
	if _, err := sample().parse(); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		change func(m *image)
		want   string // in the error
		is     error
	}{
		{"executable", func(m *image) { m.typ = elf.ET_EXEC }, "ELF type 2", object.ErrFormat},
		{"machine", func(m *image) { m.machine = 62 }, "machine 62", object.ErrFormat},
		{"addends", func(m *image) {
			m.parts[partProgram].rela = true
			m.parts[partProgram].rels = m.parts[partProgram].rels[:3] // 48 bytes: two with addends
		}, "SHT_RELA", object.ErrFormat},
		{"half instruction", func(m *image) { m.parts[partText].data = make([]byte, 20) }, "no multiple of 8", object.ErrFormat},
		{"code without contents", func(m *image) {
			m.parts[partMaps] = part{name: "maps", typ: elf.SHT_NOBITS, size: 40}
		}, "no contents", object.ErrFormat},
		{"compressed", func(m *image) { m.parts[partData].flags |= elf.SHF_COMPRESSED }, "compressed", object.ErrFormat},
		{"data too large", func(m *image) { m.parts[partBSS].size = 64<<20 - 11 }, "more than 67108864 bytes", object.ErrFormat},
		{"data enormous", func(m *image) { m.parts[partBSS].size = 1 << 63 }, "more than 67108864 bytes", object.ErrFormat},
		{"two sections of one name", func(m *image) { m.parts[partBSS].name = ".data" }, `both called ".data"`, object.ErrFormat},
		{"version", func(m *image) { m.parts = append(m.parts, part{name: "version", data: []byte{1, 2}}) }, "2 bytes, not the 4", object.ErrFormat},
		{"function beyond section", func(m *image) { m.syms[symSub].size = 16 }, `"sub" in section ".text"`, object.ErrFormat},
		{"function far beyond section", func(m *image) { m.syms[symSub].value = ^uint64(7) }, "begins at byte 18446744073709551608", object.ErrFormat},
		{"function between instructions", func(m *image) { m.syms[symSub].value = 4 }, "multiples of 8", object.ErrFormat},
		{"function without size", func(m *image) { m.syms[symSub].size = 0 }, "multiples of 8", object.ErrFormat},
		{"function without name", func(m *image) { m.syms[symSub].name = "" }, "no name", object.ErrFormat},
		{"function with a long name", func(m *image) { m.syms[symSub].name = strings.Repeat("x", 512) }, "512 bytes; at most 511", object.ErrFormat},
		{"functions overlap", func(m *image) {
			m.syms = append(m.syms, sym{"other", elf.STB_GLOBAL, elf.STT_FUNC, 0, partProgram, 56, 8})
		}, `"main" and "other"`, object.ErrFormat},
		{"two programs of one name", func(m *image) {
			m.parts = append(m.parts, part{name: "xdp", flags: exec, data: exit})
			m.syms = append(m.syms, sym{"main", elf.STB_GLOBAL, elf.STT_FUNC, 0, partBSS + 1, 0, 8})
		}, `"main", one in section "socket", one in section "xdp"`, object.ErrFormat},
		{"two maps of one name", func(m *image) { m.syms[symSecond].name = "first" }, `two maps are called "first"`, object.ErrFormat},
		{"two variables of one name", func(m *image) { m.syms[symZero].name = "variable" }, `one in section ".data", one in section ".bss"`, object.ErrFormat},
		{"variable beyond section", func(m *image) { m.syms[symVariable].size = 9 }, `"variable" has 9 bytes at 4`, object.ErrFormat},
		{"variable far beyond section", func(m *image) { m.syms[symVariable].value = ^uint64(0) }, `"variable" has 4 bytes`, object.ErrFormat},
		{"new maps without BTF", func(m *image) { m.parts[partMaps].name = ".maps" }, "there is no .BTF", object.ErrFormat},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := sample()
			test.change(m)
			_, err := m.parse()
			checkError(t, err, test.is, test.want)
		})
	}
}

func checkError(t *testing.T, err, is error, want string) {
	t.Helper()
	if !errors.Is(err, is) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %v with %q", err, is, want)
	}
}

// TestLegacyMaps has the definitions that a section "maps" may hold, and those it may not.
func TestLegacyMaps(t *testing.T) {
	two := func(names ...string) (all []sym) {
		for i, name := range names {
			all = append(all, sym{name, elf.STB_GLOBAL, elf.STT_OBJECT, 0, 0, uint64(i) * 24, 24})
		}
		return all
	}
	for _, test := range []struct {
		name string
		data []byte
		syms []sym
		want string // in the error; "" if the section is good
	}{
		{"longer", words(1, 4, 8, 16, 1, 0, 2, 4, 4, 1, 0, 0), two("a", "b"), ""},
		{"no type, no size", words(1, 4, 8, 16, 1), []sym{{"a", elf.STB_GLOBAL, elf.STT_NOTYPE, 0, 0, 0, 0}}, ""},
		{"not zero", words(1, 4, 8, 16, 1, 0, 2, 4, 4, 1, 0, 256), two("a", "b"), `"b" has fields beyond map_flags, and byte 21`},
		{"shorter", words(1, 4, 8, 16), two("a"), "cannot be 1 definitions of one size"},
		{"not of one size", append(words(1, 4, 8, 16, 1, 0, 2, 4, 4, 1, 0), 0), two("a", "b"), "cannot be 2 definitions"},
		{"no symbol", words(1, 4, 8, 16, 1), nil, "no symbol names a map"},
		{"wrong size", words(1, 4, 8, 16, 1), two("a"), `"a" has 24 bytes, not 20`},
		{"wrong place", words(1, 4, 8, 16, 1, 0, 2, 4, 4, 1, 0, 0), []sym{two("a")[0], two("a", "b")[0]}, `"a" begins at byte 0, not at 24`},
		{"static", words(1, 4, 8, 16, 1), []sym{{"a", elf.STB_LOCAL, elf.STT_OBJECT, 0, 0, 0, 20}}, ""},
		{"weak", words(1, 4, 8, 16, 1), []sym{{"a", elf.STB_WEAK, elf.STT_OBJECT, 0, 0, 0, 20}}, ""},
	} {
		for _, section := range []string{"maps", "maps/more"} {
			m := image{typ: elf.ET_REL, machine: elf.EM_NONE, parts: []part{{name: section, data: test.data}}, syms: test.syms}
			s, err := m.parse()
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%s: %v, want %q", test.name, err, test.want)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
				continue
			}
			got := *s.Maps[0]
			want := object.MapSpec{Name: "a", Section: section, Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 16, Flags: 1}
			if diff := cmp.Diff(want, got, ignoreUnexported); diff != "" {
				t.Errorf("%s: -want +got:\n%s", test.name, diff)
			}
		}
	}
}

// TestTruncated cuts small objects at every length. The error says of which object, that it is truncated, where, and how much there is.
func TestTruncated(t *testing.T) {
	for _, name := range []string{"tailcall", "legacy", "core"} {
		data, err := os.ReadFile(path(name))
		if err != nil {
			t.Fatal(err)
		}
		for n := range data {
			_, err := object.Parse("cut.o", data[:n:n])
			if err == nil {
				t.Fatalf("%s: %d of %d bytes are an object", name, n, len(data))
			}
			checkError(t, err, elf.ErrTruncated, `parse "cut.o": elf: truncated: `)
			checkError(t, err, elf.ErrTruncated, " at byte ")
			checkError(t, err, elf.ErrTruncated, strconv.Itoa(n))
		}
	}
}

// TestFlipped flips bytes of objects; only panics and hangs are wrong.
func TestFlipped(t *testing.T) {
	for _, name := range []string{"tailcall", "legacy", "kconfig", "core_custom"} {
		data, err := os.ReadFile(path(name))
		if err != nil {
			t.Fatal(err)
		}
		good := 0
		step := 1
		if testing.Short() || os.Getenv("PINION_VM") != "" {
			step = 97 // virtual machines are slow, and their kernels cannot matter
		}
		tried := 0
		for i := 0; i < len(data); i += step {
			for _, flip := range []byte{1, 0x80, 0xff} {
				data[i] ^= flip
				if exercise(data) {
					good++
				}
				tried++
				data[i] ^= flip
			}
		}
		if good == 0 || good == tried {
			t.Errorf("%s: %d of %d changed objects were read", name, good, tried)
		}
	}
}

// exercise does with data all that can be done without a kernel, and reports whether it is an object.
func exercise(data []byte) bool {
	s, err := object.Parse("exercise", data)
	if err != nil {
		return false
	}
	s.Unsupported()
	s.Externs()
	s.Accesses()
	s.Digest()
	s.KernelBTF(false)
	object.SetOptions(s, "y", "m", "1", "-1", "0x7fffffffffffffff", `"text"`)
	a := object.NewAssembler(s)
	for _, p := range s.Programs {
		p.References()
		a.Assemble(p.Name, nil)
	}
	for _, v := range s.Variables {
		v.Get()
	}
	if !s.NeedsKernelTypes() {
		return true
	}
	if types, err := object.ParseKernelTypes(exerciseTypes()); err == nil {
		if a, err := object.NewFittedAssembler(s, types); err == nil {
			for _, p := range s.Programs {
				a.Assemble(p.Name, nil)
			}
		}
	}
	return true
}

// exerciseTypes are those that objects are fitted to, of this machine's byte order.
var exerciseTypes = sync.OnceValue(func() []byte {
	data, _ := os.ReadFile(path("core_types"))
	return data
})

func FuzzParse(f *testing.F) {
	for _, file := range objects(f) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(sample().bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		before := string(data)
		exercise(data)
		if string(data) != before {
			t.Error("the data were changed")
		}
	})
}
