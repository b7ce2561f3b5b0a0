package object_test

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// TestUnknownSections loads an object with programs of which nobody knows the type: they stay out until they have one, and are listed until then.
func TestUnknownSections(t *testing.T) {
	s := open(t, "sections")
	unknown := func(name, section string) object.Feature {
		return object.Feature{Kind: object.FeatureSection, Where: `function "` + name + `" in section "` + section + `"`}
	}
	own, old := unknown("own_name", "packets/of_mine"), unknown("old_name", "prog")
	if diff := cmp.Diff([]object.Feature{own, old}, s.Unsupported()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	o := loadSpec(t, s, nil)
	if len(o.Programs()) != 1 {
		t.Errorf("%d programs were loaded, want 1", len(o.Programs()))
	}
	run(t, o, "known", 64)
	wantVariables(t, o, map[string]uint64{"calls": 1})

	s.Program("own_name").Autoload = true
	_, err := s.Load(nil)
	wantError(t, err, object.ErrSpec, `"own_name"`, `"packets/of_mine"`, "set the program's Type")
	s.Program("own_name").Type = sys.ProgTypeSocketFilter
	p := s.Program("old_name")
	p.Type, p.AttachType, p.Autoload = sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupInet4Bind, true
	s.Programs[0], s.Programs[2] = s.Programs[2], s.Programs[0]
	if features := s.Unsupported(); len(features) > 0 {
		t.Errorf("with types, it still lacks %v", features)
	}
	o = loadSpec(t, s, nil)
	run(t, o, "own_name", 64)
	wantVariables(t, o, map[string]uint64{"calls": 100})
	if got := o.Program("old_name").Type(); got != sys.ProgTypeCgroupSockAddr {
		t.Errorf("old_name has type %s", got)
	}
}

// TestStaticAndWeak runs programs that are static or weak, with maps that are, and compares what they did.
func TestStaticAndWeak(t *testing.T) {
	s := open(t, "static_weak")
	programs := names(s.Programs, func(p *object.ProgramSpec) string { return p.Name })
	if diff := cmp.Diff([]string{"quiet", "jump", "soft"}, programs); diff != "" { // not bump, which is called
		t.Errorf("programs: -want +got:\n%s", diff)
	}
	if v := s.Variable("calls"); v != nil {
		t.Errorf("a static variable can be named: %s", v.Name())
	}
	o := loadSpec(t, s, nil)
	number := func(name string) uint64 { return binary.NativeEndian.Uint64(lookup32(t, o.Map(name), 1)) }
	want := func(after string, own, shared, second, total uint64) {
		t.Helper()
		got := []uint64{number("own"), number("shared"), number("second"), variable(t, o, "total")}
		if diff := cmp.Diff([]uint64{own, shared, second, total}, got); diff != "" {
			t.Errorf("after %s, -want +got:\n%s", after, diff)
		}
	}
	run(t, o, "quiet", 64)
	want("quiet", 16, 0, 0, 0)
	run(t, o, "soft", 64)
	want("soft", 16, 21, 10, 9)
	run(t, o, "jump", 64)
	want("jump", 16+100+37, 21, 10, 9)
}

// TestHelpers tells subprograms from programs among static functions of program sections, however they are referred to.
func TestHelpers(t *testing.T) {
	for name, c := range map[string]struct {
		change func(m *image)
		want   []string
	}{
		"nobody calls it": {func(m *image) {}, []string{"main", "other"}},
		"by its name":     {func(m *image) { m.parts[partProgram].rels[3].sym = symOther }, []string{"main"}},
		"by its section": {func(m *image) {
			m.syms[symText].section = partOther
			m.parts[partProgram].rels[3].sym = symText
		}, []string{"main"}},
		"its address": {func(m *image) { m.parts[partProgram].rels[0].sym = symOther }, []string{"main"}},
		"from its section": {func(m *image) {
			m.parts[partOther].data = join(exit, insn(0x85, 0x10, -2), exit)
			m.syms = append(m.syms, sym{"third", elf.STB_LOCAL, elf.STT_FUNC, 0, partOther, 8, 16})
		}, []string{"main", "third"}},
		"only by itself": {func(m *image) {
			m.parts[partOther].data = join(insn(0x85, 0x10, -1), exit)
			m.syms[symOther].size = 16
		}, []string{"main", "other"}},
		"global, and called": {func(m *image) {
			m.syms[symOther].bind = elf.STB_GLOBAL
			m.parts[partProgram].rels[3].sym = symOther
		}, []string{"main", "other"}},
	} {
		m := sample()
		m.parts = append(m.parts, part{name: "xdp", flags: exec, data: exit})
		m.syms = append(m.syms, sym{"other", elf.STB_LOCAL, elf.STT_FUNC, 0, partOther, 0, 8})
		c.change(m)
		s, err := m.parse()
		check(t, err)
		if diff := cmp.Diff(c.want, names(s.Programs, func(p *object.ProgramSpec) string { return p.Name })); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		for _, p := range s.Programs {
			if _, err := object.NewAssembler(s).Assemble(p.Name, nil); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// The section and the function that TestHelpers adds to a sample.
const (
	partOther = partBSS + 1
	symOther  = symText + 1
)

// runImage loads an object that was built by hand, and returns what a program of it returns for a packet.
func runImage(t *testing.T, m *image, program string) uint32 {
	t.Helper()
	s, err := m.parse()
	check(t, err)
	o := loadSpec(t, s, nil)
	attr := sys.ProgTestRunAttr{ProgFD: o.Program(program).FD().Attr(), DataIn: sys.Slice(make([]byte, 64)), DataSizeIn: 64}
	check(t, sys.ProgTestRun(&attr))
	return attr.Retval
}

// Instructions of objects that are run.
var (
	moveR0R6 = insn(0xbf, 0x06, 0) // r6 = r0
	addR0R6  = insn(0x0f, 0x60, 0) // r0 += r6
	loadR0   = insn(0x61, 0x10, 0) // r0 = *(u32 *)r1
	setR0    = func(n int32) []byte { return insn(0xb7, 0, n) }
)

// TestStaticTwins has two subprograms of one name, and two variables, as linking makes them of static ones of two sources.
func TestStaticTwins(t *testing.T) {
	m := sample()
	m.parts[partProgram] = part{name: "socket", flags: exec, data: join(
		load64, loadR0, moveR0R6, // 8
		load64, loadR0, addR0R6, moveR0R6, // 9
		call, addR0R6, moveR0R6, // 100
		insn(0x85, 0x10, 1), addR0R6, // 1000
		exit),
		rels: []rel{{0, elf.R_BPF_64_64, symData}, {32, elf.R_BPF_64_64, symData}, {72, elf.R_BPF_64_32, symText}, {96, elf.R_BPF_64_32, symText}}}
	copy(m.parts[partProgram].data[4:], words(4))
	copy(m.parts[partProgram].data[36:], words(8))
	m.parts[partText].data = join(setR0(100), exit, setR0(1000), exit)
	m.syms[symMain].size = uint64(len(m.parts[partProgram].data))
	m.syms[symSub] = sym{"twin", elf.STB_LOCAL, elf.STT_FUNC, 0, partText, 0, 16}
	m.syms[symVariable] = sym{"pair", elf.STB_LOCAL, elf.STT_OBJECT, 0, partData, 4, 4}
	m.syms = append(m.syms,
		sym{"twin", elf.STB_LOCAL, elf.STT_FUNC, 0, partText, 16, 16},
		sym{"pair", elf.STB_LOCAL, elf.STT_OBJECT, 0, partData, 8, 4})
	m.syms[symExtern] = sym{"", elf.STB_LOCAL, elf.STT_SECTION, 0, partData, 0, 0}
	if got := runImage(t, m, "main"); got != 8+9+100+1000 {
		t.Errorf("it returns %d, want 1117", got)
	}
}

// symData is the symbol that TestStaticTwins makes of the section with the data.
const symData = symExtern

// TestGas reads the same program as LLVM writes it and as binutils up to 2.40 do, which have symbols' values in what refers to them.
func TestGas(t *testing.T) {
	build := func(values int32) *image {
		m := sample()
		m.parts[partProgram] = part{name: "socket", flags: exec, data: join(
			load64, loadR0, moveR0R6, // 8
			load64, loadR0, addR0R6, moveR0R6, // 9
			insn(0x85, 0x10, values*16-1), addR0R6, moveR0R6, // 1000
			insn(0x85, 0x10, 1), addR0R6, // 1000, by section
			exit),
			rels: []rel{{0, elf.R_BPF_64_64, symVariable}, {32, elf.R_BPF_64_64, symData}, {72, elf.R_BPF_64_32, symSub}, {96, elf.R_BPF_64_32, symText}}}
		copy(m.parts[partProgram].data[4:], words(uint32(4*values)))
		copy(m.parts[partProgram].data[36:], words(8))
		m.parts[partText].data = join(setR0(100), exit, setR0(1000), exit)
		m.syms[symMain].size = uint64(len(m.parts[partProgram].data))
		m.syms[symSub] = sym{"sub", elf.STB_GLOBAL, elf.STT_FUNC, 0, partText, 16, 16}
		m.syms[symExtern] = sym{"", elf.STB_LOCAL, elf.STT_SECTION, 0, partData, 0, 0}
		m.syms = append(m.syms, sym{"other", elf.STB_LOCAL, elf.STT_FUNC, 0, partText, 0, 16})
		m.parts[partData].data = words(7, 8, 9)
		return m
	}
	comment := func(m *image, text string) *image {
		m.parts = append(m.parts, part{name: ".comment", data: []byte(text)})
		return m
	}
	debug := func(m *image, typ uint32) *image {
		m.parts = append(m.parts, part{name: ".debug_info", data: make([]byte, 8), rels: []rel{{0, typ, symText}}})
		return m
	}
	const gcc = "\x00GCC: (12.2.0-14+deb12u1+) 12.2.0\x00"
	for name, m := range map[string]*image{
		"LLVM":                       build(0),
		"GCC, later":                 comment(build(0), gcc),
		"GCC, later, with debug":     debug(comment(build(0), gcc), elf.R_BPF_64_ABS32),
		"GCC, without debug":         comment(build(1), gcc),
		"GCC, with debug":            debug(comment(build(1), gcc), 11),
		"GCC, with debug of 64 bits": debug(comment(build(1), gcc), 12),
	} {
		t.Run(name, func(t *testing.T) {
			if got := runImage(t, m, "main"); got != 8+9+1000+1000 {
				t.Errorf("it returns %d, want 2017", got)
			}
		})
	}
	s, err := build(1).parse() // for all that anybody knows the variable is 4 bytes further on
	check(t, err)
	_, err = object.NewAssembler(s).Assemble("main", nil)
	wantError(t, err, object.ErrFormat, "no function begins")
}
