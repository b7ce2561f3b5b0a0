package object_test

import (
	"encoding/binary"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// TestMerged has a program pick from strings and constants that compilers merge.
func TestMerged(t *testing.T) {
	for which, want := range map[uint32]map[string]uint64{
		1: {"letter": 'o', "other_letter": 'e', "wide": 31020, "eight": 20022000, "sixteen": 220000200000, "thirty_two": 1<<41 + 3<<40, "named": 8},
		3: {"letter": 'e', "other_letter": 'o', "wide": 51040, "eight": 40044000, "sixteen": 440000400000, "thirty_two": 1<<43 + 3<<42, "named": 10},
	} {
		s := open(t, "merged")
		check(t, s.Variable("which").Set(binary.NativeEndian.AppendUint32(nil, which)))
		o := loadSpec(t, s, nil)
		run(t, o, "read_merged", 64)
		wantVariables(t, o, want)
	}
}

// TestWithoutBTF runs a program of an object that has symbols and nothing else.
func TestWithoutBTF(t *testing.T) {
	s := open(t, "nobtf_maps")
	check(t, s.Variable("step").Set(binary.NativeEndian.AppendUint32(nil, 6)))
	o := loadSpec(t, s, nil)
	run(t, o, "count", 64)
	run(t, o, "count", 64)
	wantVariables(t, o, map[string]uint64{"total": 34 + 68 + 34})
	wantNumber(t, o, "hits", 12)
	own := lookup32(t, o.Map("own"), 1)
	if own == nil || binary.NativeEndian.Uint64(own) != 34+68+34 {
		t.Errorf("the static map has % x, want 136", own)
	}
}

// wantNumber compares the value of 8 bytes that a map has for key 1.
func wantNumber(t *testing.T, o *object.Object, name string, want uint64) {
	t.Helper()
	if got := binary.NativeEndian.Uint64(lookup32(t, o.Map(name), 1)); got != want {
		t.Errorf("map %s has %d, want %d", name, got, want)
	}
}

// TestWithoutExt runs a program that has types and no .BTF.ext; and reads an object that has .BTF.ext and no types, which is of no use then.
func TestWithoutExt(t *testing.T) {
	o := load(t, "noext")
	run(t, o, "count", 64)
	wantVariables(t, o, map[string]uint64{"total": 21})
	wantNumber(t, o, "hits", 21)

	m := sample()
	m.parts = append(m.parts, part{name: ".BTF.ext", typ: elf.SHT_PROGBITS, data: []byte("anything")})
	s, err := m.parse()
	check(t, err)
	if len(assemble(t, s, "main").FuncInfo) > 0 {
		t.Error("there is func_info without types")
	}
}

// TestCrossing runs programs whose subprograms lie in each other's sections.
func TestCrossing(t *testing.T) {
	o := load(t, "crossing")
	run(t, o, "cross", 64)
	wantVariables(t, o, map[string]uint64{"result": 69003})
	run(t, o, "cross_too", 64)
	wantVariables(t, o, map[string]uint64{"result": 330114})
}

// TestAddresses has variables that are to hold addresses: programs that use them are refused, each with what and where; others run.
func TestAddresses(t *testing.T) {
	o := load(t, "addresses")
	run(t, o, "without", 64)
	wantVariables(t, o, map[string]uint64{"total": 7 + 3 + 2 + 6})
	for program, parts := range map[string][]string{
		"pointer":          {`"where", of which byte `, ` of section ".data" is to be the address of ".data", in function "pointer" in section "?socket", instruction`},
		"map_address":      {`"of_map", of which byte `, ` of section ".data" is to be the address of "numbers", in function "map_address"`},
		"function_address": {`"of_function", of which byte 0 of section ".data.functions" is to be the address of ".text", in function "function_address"`},
		"table":            {`"entries", of which byte `, ` of section ".rodata" is to be the address of ".rodata.str1.1", in function "limit" in section ".text"`},
	} {
		s := open(t, "addresses")
		s.Program(program).Autoload = true
		_, err := s.Load(nil)
		wantError(t, err, object.ErrUnsupported, append([]string{`program "` + program + `"`, object.FeatureAddress}, parts...)...)
	}
}

// TestAddressPlaces looks for an address where a reference lies in a variable, before or after one, or in one that symbols do not tell of; whatever its relocation is.
func TestAddressPlaces(t *testing.T) {
	for name, c := range map[string]struct {
		place, size, reloc, addend uint64
		typ                        uint32
		refused                    bool
	}{
		"in it":                    {4, 12, 8, 0, elf.R_BPF_64_ABS64, true},
		"in it, of 32 bits":        {4, 4, 4, 0, elf.R_BPF_64_ABS32, true},
		"in it, for BTF":           {4, 4, 4, 0, elf.R_BPF_64_NODYLD32, true},
		"in it, of GCC":            {4, 12, 8, 4, 12, true},
		"before it":                {4, 4, 0, 0, elf.R_BPF_64_ABS32, false},
		"after it":                 {4, 4, 8, 0, elf.R_BPF_64_ABS32, false},
		"between, beside no other": {4, 4, 8, 8, elf.R_BPF_64_ABS32, true},
		"between, before it":       {4, 4, 8, 0, elf.R_BPF_64_ABS32, false},
		"endless":                  {0, 1<<64 - 4, 8, 0, elf.R_BPF_64_ABS32, true},
	} {
		m := sample()
		m.syms[symVariable].bind, m.syms[symVariable].value, m.syms[symVariable].size = elf.STB_LOCAL, c.place, c.size
		m.syms[symExtern] = sym{"", elf.STB_LOCAL, elf.STT_SECTION, 0, partData, 0, 0}
		m.parts[partData].data = make([]byte, 16)
		m.parts[partData].rels = []rel{{c.reloc, c.typ, symFirst}}
		m.parts[partProgram].rels[1].sym = symData
		copy(m.parts[partProgram].data[20:], words(uint32(c.place+c.addend)))
		s, err := m.parse()
		check(t, err)
		if _, err = object.NewAssembler(s).Assemble("main", nil); !c.refused {
			check(t, err)
			continue
		}
		if err == nil {
			t.Errorf("%s: not refused", name)
			continue
		}
		wantError(t, err, object.ErrUnsupported, object.FeatureAddress, `section ".data" is to be the address of "first"`)
	}
	_, m := definition(1, func(b *types) []field {
		return []field{{"type", b.uint(uint32(sys.MapTypeArena))}, {"max_entries", b.uint(1)}}
	})
	m.parts = append(m.parts,
		part{name: ".addr_space.1", flags: elf.SHF_ALLOC, data: make([]byte, 16), rels: []rel{{8, elf.R_BPF_64_ABS64, 0}}},
		part{name: "syscall", flags: exec, data: join(load64, exit), rels: []rel{{0, elf.R_BPF_64_64, 1}}})
	m.syms = append(m.syms, sym{"list", elf.STB_GLOBAL, elf.STT_OBJECT, 0, 2, 8, 8}, sym{"main", elf.STB_GLOBAL, elf.STT_FUNC, 0, 3, 0, 24})
	s, err := m.parse()
	check(t, err)
	_, err = object.NewAssembler(s).Assemble("main", nil)
	wantError(t, err, object.ErrUnsupported, object.FeatureAddress, `"list", of which byte 8 of section ".addr_space.1" is to be the address of "m"`)
	m = sample()
	m.parts[partData].rels, m.parts[partData].rela = []rel{{0, elf.R_BPF_64_ABS64, symFirst}, {0, 0, -1}, {0, 0, -1}}, true
	_, err = m.parse()
	wantError(t, err, object.ErrFormat, "SHT_RELA")
}

// TestLicenses reads none, one, several, and what is no string.
func TestLicenses(t *testing.T) {
	for want, sections := range map[string][]string{
		"":             nil,
		"GPL":          {"GPL\x00"},
		"GPL v2":       {"GPL v2"},
		"Dual MIT/GPL": {"Dual MIT/GPL\x00Proprietary\x00"},
		"BSD":          {"\x00\x00BSD\x00GPL\x00"},
		"MIT":          {"\x00", "MIT\x00", "GPL\x00"},
	} {
		m := sample()
		for _, text := range sections {
			m.parts = append(m.parts, part{name: "license", flags: elf.SHF_ALLOC, data: []byte(text)})
		}
		s, err := m.parse()
		check(t, err)
		if s.License != want {
			t.Errorf("%q give the license %q, want %q", sections, s.License, want)
		}
	}
	s := open(t, "licenses")
	o := loadSpec(t, s, nil)
	run(t, o, "ask", 64)
	if variable(t, o, "task") == 0 {
		t.Error("a helper for GPL programs gave nothing")
	}
	s.License = ""
	_, err := s.Load(nil)
	wantError(t, err, object.ErrVerifier, `"ask"`, "GPL")
}

// TestSizes has the kernel say how large the maps are whose sizes are rounded or filled in.
func TestSizes(t *testing.T) {
	possible, err := os.ReadFile("/sys/devices/system/cpu/possible") // "0", or "0-" and the last
	check(t, err)
	last, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(string(possible)), "0-"), 10, 31)
	check(t, err)
	cpus := uint32(last) + 1
	for _, name := range []string{"maps", "sizes"} {
		o := load(t, name)
		for _, m := range o.Maps() {
			want := o.Spec().Map(m.Name()).MaxEntries
			switch m.Name() {
			case "odd", "ringbuf_odd":
				want = 1 << 17
			case "smallest":
				want = uint32(os.Getpagesize())
			case "for_each_cpu", "perf_event_array":
				want = cpus
			}
			if got := m.MaxEntries(); got != want {
				t.Errorf("%s: map %s has %d entries, want %d", name, m.Name(), got, want)
			}
		}
		if name == "sizes" {
			run(t, o, "ask", 64)
			wantVariables(t, o, map[string]uint64{"size": 1 << 17, "smallest_size": uint64(os.Getpagesize()), "kept": 8 + 16})
		}
	}
	m := sample()
	copy(m.parts[partMaps].data, words(uint32(sys.MapTypePerfEventArray), 4, 4, 0, 0))
	copy(m.parts[partMaps].data[20:], words(uint32(sys.MapTypeRingbuf), 0, 0, 5000, 0))
	s, err := m.parse()
	check(t, err)
	s.Program("main").Autoload = false
	o := loadSpec(t, s, nil)
	if a, b := o.Map("first").MaxEntries(), o.Map("second").MaxEntries(); a != cpus || b < 8192 {
		t.Errorf("old definitions give %d and %d entries, want %d and 8192", a, b, cpus)
	}
}

// TestTags runs a program of an object that has declaration tags everywhere: kernels before 5.16 are given its BTF without.
func TestTags(t *testing.T) {
	o := load(t, "tags")
	run(t, o, "count", 64)
	wantVariables(t, o, map[string]uint64{"total": 37})
}

// TestMisplacedVariables has a DATASEC say of static variables that they are in its section, which are in another, and the rest in no order: clang up to 15 did the
// first. The kernel takes what is made of it.
func TestMisplacedVariables(t *testing.T) {
	b := &types{}
	integer := b.integer()
	variable := func(name string, linkage uint32) uint32 { return b.add(kindVar, name, 0, integer, linkage) }
	elsewhere, last, first, named := variable("elsewhere", 0), variable("last", 0), variable("first", 0), variable("named", 1)
	b.add(kindDatasec, ".rodata", 4, 0, elsewhere, 0, 4, last, 8, 4, first, 4, 4, named, 0, 4)
	m := &image{typ: elf.ET_REL, machine: elf.EM_BPF,
		parts: []part{
			{name: ".rodata", flags: elf.SHF_ALLOC, data: words(1, 2, 3)},
			{name: ".rodata.cst4", flags: elf.SHF_ALLOC, data: words(4)},
			{name: ".BTF", data: b.bytes()},
		},
		syms: []sym{
			{"elsewhere", elf.STB_LOCAL, elf.STT_OBJECT, 0, 1, 0, 4},
			{"last", elf.STB_LOCAL, elf.STT_OBJECT, 0, 0, 8, 4},
			{"first", elf.STB_LOCAL, elf.STT_OBJECT, 0, 0, 4, 4},
			{"named", elf.STB_GLOBAL, elf.STT_OBJECT, 0, 0, 0, 4},
		},
	}
	s, err := m.parse()
	check(t, err)
	raw, err := s.KernelBTF(false)
	check(t, err)
	got, err := btf.Parse(raw)
	check(t, err)
	datasec, _ := got.Find(btf.KindDatasec, ".rodata")
	var vars []btf.VarSecinfo
	for _, v := range datasec.Vars() {
		vars = append(vars, v)
	}
	want := []btf.VarSecinfo{{Type: btf.ID(named), Offset: 0, Size: 4}, {Type: btf.ID(first), Offset: 4, Size: 4}, {Type: btf.ID(last), Offset: 8, Size: 4}}
	if diff := cmp.Diff(want, vars); diff != "" || datasec.Size() != 12 {
		t.Errorf("in %d bytes, -want +got:\n%s", datasec.Size(), diff)
	}
	o := loadSpec(t, s, nil)
	if o.Map(".rodata").Info().BTFID == 0 || o.Map(".rodata.cst4") == nil {
		t.Error("the constants have no type, or are not there")
	}
}

// TestRefusedBTF loads an object whose BTF no kernel takes, as that of GCC 12: its integers are signed and characters at once. What needs BTF is refused, with that reason.
func TestRefusedBTF(t *testing.T) {
	b := &types{}
	integer := b.add(kindInt, "char", 0, 1, 3<<24|8)
	def := b.structure(field{"type", b.uint(uint32(sys.MapTypeArray))}, field{"max_entries", b.uint(2)}, field{"key_size", b.uint(4)}, field{"value", b.pointer(integer)})
	b.add(kindDatasec, ".maps", 1, 0, b.add(kindVar, "m", 0, def, 1), 0, 32)
	m := &image{typ: elf.ET_REL, machine: elf.EM_BPF,
		parts: []part{
			{name: ".maps", flags: elf.SHF_ALLOC, data: make([]byte, 32)},
			{name: ".BTF", data: b.bytes()},
			{name: "socket", flags: exec, data: join(setR0(7), exit)},
		},
		syms: []sym{{"m", elf.STB_GLOBAL, elf.STT_OBJECT, 0, 0, 0, 32}, {"main", elf.STB_GLOBAL, elf.STT_FUNC, 0, 2, 0, 16}},
	}
	s, err := m.parse()
	check(t, err)
	o := loadSpec(t, s, nil)
	wantError(t, o.WithoutBTF(), unix.Errno(524), "load BTF", "Unsupported encoding")
	if o.Map("m").Info().BTFID != 0 || o.Program("main") == nil {
		t.Error("the map has BTF, or there is no program")
	}
	s.Map("m").Type, s.Map("m").MaxEntries, s.Map("m").Flags = sys.MapTypeSKStorage, 0, unix.BPF_F_NO_PREALLOC
	_, err = s.Load(nil)
	wantError(t, err, unix.EINVAL, "go on without BTF", "Unsupported encoding", `create map "m"`)
	if fine := load(t, "counter"); fine.WithoutBTF() != nil {
		t.Errorf("counter is loaded without BTF: %v", fine.WithoutBTF())
	}
}
