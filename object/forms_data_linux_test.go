package object_test

import (
	"encoding/binary"
	"testing"

	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/object"
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
