package object_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/object"
)

func assemble(t testing.TB, s *object.Spec, program string) *object.Image {
	t.Helper()
	m, err := object.NewAssembler(s).Assemble(program, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestAssemble compares every byte of a small program.
func TestAssemble(t *testing.T) {
	s, err := sample().parse()
	if err != nil {
		t.Fatal(err)
	}
	fds := map[string]int{"first": 11, "second": 12, ".data": 13, ".bss": 14}
	a := object.NewAssembler(s)
	for range 2 { // the second time with what the first left behind
		m, err := a.Assemble("main", func(m *object.MapSpec) int { return fds[m.Name] })
		if err != nil {
			t.Fatal(err)
		}
		want := join(
			insn(0x18, 0x11, 12), insn(0, 0, 0),
			insn(0x18, 0x21, 13), insn(0, 0, 4),
			insn(0x18, 0x21, 14), insn(0, 0, 8),
			insn(0x85, 0x10, 1), exit,
			exit)
		if diff := cmp.Diff(want, m.Insns); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if diff := cmp.Diff([]string{"second", ".data", ".bss"}, m.Maps); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

// TestAddends has what a compiler writes for static functions and variables: a section's symbol, and the place in the instruction.
func TestAddends(t *testing.T) {
	m := sample()
	m.syms = append(m.syms, sym{"", 0, 3, 0, partData, 0, 0})
	m.parts[partProgram].data = join(insn(0x18, 0x01, 8), insn(0, 0, 0), insn(0x85, 0x10, 0), insn(0x18, 0x02, 8), insn(0, 0, 0), exit, exit, exit)
	m.parts[partProgram].rels = []rel{{0, 1, len(m.syms) - 1}, {16, 10, symText}, {24, 1, symText}}
	s, err := m.parse()
	if err != nil {
		t.Fatal(err)
	}
	want := join(insn(0x18, 0x21, 0), insn(0, 0, 8), insn(0x85, 0x10, 5), insn(0x18, 0x42, 4), insn(0, 0, 0), exit, exit, exit, exit)
	if diff := cmp.Diff(want, assemble(t, s, "main").Insns); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestCallOrder wants subprograms where libbpf puts them, each once, also where calls have no relocation and go in circles.
func TestCallOrder(t *testing.T) {
	m := sample()
	code := func(calls ...int32) []byte {
		var b []byte
		for _, c := range calls {
			b = append(b, insn(0x85, 0x10, c)...)
		}
		return append(b, exit...)
	}
	// .text: a at 0 calls c and b, b at 3 calls a, c at 5 calls b.
	m.parts[partText].data = join(code(4, 1), code(-4), code(-3))
	m.parts[partProgram].data = join(code(-1, -1), code(), code(), code(), code(), code())
	m.parts[partProgram].rels = []rel{{8, 10, symSub}, {0, 10, symFirst}} // not in order
	m.syms = []sym{
		{"main", 1, 2, 0, partProgram, 0, 24},
		{"a", 0, 2, 0, partText, 0, 24},
		{"b", 0, 2, 0, partText, 24, 16},
		{"c", 0, 2, 0, partText, 40, 16},
		{"first", 1, 1, 0, partMaps, 0, 20},
		{"second", 1, 1, 0, partMaps, 20, 20},
	}
	m.parts[partProgram].rels = []rel{{8, 10, 3}, {0, 10, 1}} // c, but before it a: not in order
	s, err := m.parse()
	if err != nil {
		t.Fatal(err)
	}
	// main 0, a 3, c 6 (first called by a), b 8 (first called by c).
	want := join(
		code(2, 4), // at 0 calls a at 3, at 1 calls c at 6
		code(2, 3), // at 3 calls c, at 4 calls b at 8
		code(1),    // at 6 calls b
		code(-6),   // at 8 calls a
	)
	if diff := cmp.Diff(want, assemble(t, s, "main").Insns); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestDebugInfo reads the shifted records of subprograms back: each function must begin where its FUNC says.
func TestDebugInfo(t *testing.T) {
	for _, name := range []string{"subprogs", "subprogs-be"} {
		s := open(t, name)
		raw, err := s.KernelBTF(false)
		if err != nil {
			t.Fatal(err)
		}
		types, err := btf.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		m := assemble(t, s, "both")
		order := types.Order()
		var got []string
		for at := 0; at < len(m.FuncInfo); at += int(m.FuncInfoSize) {
			id := btf.ID(order.Uint32(m.FuncInfo[at+4:]))
			got = append(got, fmt.Sprintf("%d %s", order.Uint32(m.FuncInfo[at:]), types.Type(id).Name()))
		}
		want := []string{"0 both", "12 mix", "19 bump", "26 lookup", "37 store"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		last, count := -1, 0
		for at := 0; at < len(m.LineInfo); at += int(m.LineInfoSize) {
			insn := int(order.Uint32(m.LineInfo[at:]))
			if insn <= last || insn >= len(m.Insns)/8 {
				t.Errorf("%s: line_info of instruction %d after %d, of %d", name, insn, last, len(m.Insns)/8)
			}
			last = insn
			count++
		}
		if count < 15 {
			t.Errorf("%s: %d records of line_info", name, count)
		}
	}
}

// TestBigEndianInstructions compares programs of both byte orders, field by field.
func TestBigEndianInstructions(t *testing.T) {
	for _, name := range []string{"subprogs", "globals", "counter"} {
		little, big := open(t, name), open(t, name+"-be")
		for _, p := range little.Programs {
			a, b := assemble(t, little, p.Name), assemble(t, big, p.Name)
			if len(a.Insns) != len(b.Insns) {
				t.Fatalf("%s: %d and %d bytes", p.Name, len(a.Insns), len(b.Insns))
			}
			for at := 0; at < len(a.Insns); at += 8 {
				x, y := a.Insns[at:], b.Insns[at:]
				same := x[0] == y[0] && x[1]>>4 == y[1]&15 && x[1]&15 == y[1]>>4 &&
					binary.LittleEndian.Uint16(x[2:]) == binary.BigEndian.Uint16(y[2:])
				load := x[0] == 0x18 || x[0] == 0 // offsets in a map may differ, but not in these objects
				if !same || load && binary.LittleEndian.Uint32(x[4:]) != binary.BigEndian.Uint32(y[4:]) {
					t.Errorf("%s instruction %d: % x and % x", p.Name, at/8, x[:8], y[:8])
				}
			}
		}
		if a, b := little.CheckByteOrder(), big.CheckByteOrder(); (a == nil) == (b == nil) {
			t.Errorf("both byte orders give %v and %v", a, b)
		}
	}
}

// TestBadRelocations changes the relocations or instructions of a good object: it can be read, and its program not be put together.
func TestBadRelocations(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(m *image)
		want   string
		is     error
	}{
		{"type", func(m *image) { m.parts[partProgram].rels[0].typ = 2 }, "its type is 2", object.ErrFormat},
		{"between instructions", func(m *image) { m.parts[partProgram].rels[0].offset = 4 }, "there is no instruction", object.ErrFormat},
		{"of an exit", func(m *image) { m.parts[partProgram].rels[0].offset = 56 }, "opcode 149", object.ErrFormat},
		{"of a second half", func(m *image) { m.parts[partProgram].rels[0].offset = 8 }, "opcode 0", object.ErrFormat},
		{"twice", func(m *image) { m.parts[partProgram].rels[1].offset = 0 }, "two relocations change instruction 0", object.ErrFormat},
		{"between maps", func(m *image) { copy(m.parts[partProgram].data[4:], words(4)) }, `byte 24 of section "maps"`, object.ErrFormat},
		{"beyond data", func(m *image) { copy(m.parts[partProgram].data[20:], words(8)) }, `byte 12 of section ".data"`, object.ErrFormat},
		{"before data", func(m *image) { copy(m.parts[partProgram].data[20:], words(1<<32-5)) }, `byte -1 of section ".data"`, object.ErrFormat},
		{"into a function", func(m *image) { copy(m.parts[partProgram].data[52:], words(0)) }, `byte 16 of section ".text"`, object.ErrFormat},
		{"of nothing", func(m *image) { m.parts[partProgram].rels[0].sym = -1 }, "lies in no section", object.ErrFormat},
		{"of a call", func(m *image) { m.parts[partProgram].rels[3].sym = symVariable }, `byte 4 of section ".data"`, object.ErrFormat},
		{"extern", func(m *image) { m.parts[partProgram].rels[0].sym = symExtern }, `undefined symbol: "missing" in function "main"`, object.ErrUnsupported},
		{"extern function", func(m *image) { m.parts[partProgram].rels[3].sym = symExtern }, `undefined symbol: "missing" in function "main"`, object.ErrUnsupported},
		{"jump table", func(m *image) { m.parts[partData].name = ".jumptables" }, "of section .jumptables are no table", object.ErrFormat},
		{"other section", func(m *image) { m.parts[partData].name = "other" }, `section "other" holds nothing`, object.ErrFormat},
		{"half load at the end", func(m *image) {
			m.parts[partProgram].data[56] = 0x18
		}, "without its second half", object.ErrFormat},
		{"half load", func(m *image) { m.parts[partProgram].data[8] = 0xb7 }, "instruction 0 of function \"main\" is a 64-bit load without", object.ErrFormat},
		{"call of nothing", func(m *image) { m.parts[partProgram].rels = m.parts[partProgram].rels[:3] }, "calls instruction 6 of its section", object.ErrFormat},
		{"address without relocation", func(m *image) {
			m.parts[partProgram].data[1] = 0x41
			m.parts[partProgram].rels = m.parts[partProgram].rels[1:]
		}, "loads a function's address", object.ErrFormat},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := sample()
			test.change(m)
			s, err := m.parse()
			if err != nil {
				t.Fatal(err)
			}
			_, err = object.NewAssembler(s).Assemble("main", nil)
			checkError(t, err, test.is, test.want)
		})
	}
}

// TestTooLong wants a program refused that the kernel would refuse.
func TestTooLong(t *testing.T) {
	m := sample()
	m.parts[partText].data = make([]byte, 8*999_993)
	m.syms[symSub] = sym{"sub", 1, 2, 0, partText, 0, 8 * 999_993}
	s, err := m.parse()
	if err != nil {
		t.Fatal(err)
	}
	_, err = object.NewAssembler(s).Assemble("main", nil)
	checkError(t, err, object.ErrFormat, "more than 1000000 instructions")
}

// TestHidden marks a global function and a global variable hidden: their BTF must become static, and nobody may name the variable.
func TestHidden(t *testing.T) {
	data, err := os.ReadFile(path("subprogs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mix", "depth"} {
		hide(t, data, name)
	}
	s, err := object.Parse("hidden", data)
	if err != nil {
		t.Fatal(err)
	}
	if s.Variable("depth") != nil || s.Map(".bss").Flags != 0 {
		t.Errorf("variable %v, flags %#x of its map", s.Variable("depth"), s.Map(".bss").Flags)
	}
	want := map[string]uint32{"mix": btf.LinkageStatic, "fold": btf.LinkageGlobal, "lookup": btf.LinkageStatic, "both": btf.LinkageGlobal, "depth": btf.LinkageStatic}
	got := map[string]uint32{}
	fd := loadBTF(t, s)
	defer fd.Close()
	raw, _ := s.KernelBTF(false)
	types, err := btf.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	for id := range types.Len() {
		typ := types.Type(btf.ID(id))
		if _, asked := want[typ.Name()]; asked && (typ.Kind() == btf.KindFunc || typ.Kind() == btf.KindVar) {
			got[typ.Name()] = typ.Linkage()
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// hide gives a symbol of a little-endian object hidden visibility.
func hide(t *testing.T, data []byte, name string) {
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range symbols {
		if s.Name == name {
			data[int(f.SectionByType(elf.SHT_SYMTAB).Offset)+24*(i+1)+5] = byte(elf.STV_HIDDEN)
			return
		}
	}
	t.Fatalf("no symbol %s", name)
}
