package elf_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pinion-bpf/pinion/elf"
)

func TestRelocations(t *testing.T) {
	want := []elf.Relocation{
		{Offset: 0, Type: elf.R_BPF_64_64, Symbol: 3},
		{Offset: 16, Type: elf.R_BPF_64_32, Symbol: 5},
	}
	for _, order := range orders {
		f := mustParse(t, sample(order).bytes())
		if diff := cmp.Diff(want, slices.Collect(f.Relocations(f.Section(".relxdp")))); diff != "" {
			t.Errorf("relocations (-want +got):\n%s", diff)
		}
		for _, s := range f.Sections {
			got := slices.Collect(f.Relocations(&s))
			if isREL := s.Type == elf.SHT_REL; isREL != (len(got) == 2) || !isREL && got != nil {
				t.Errorf("a copy of section %d gives %v", s.Index, got)
			}
		}
		for r := range f.Relocations(f.Section(".relxdp")) {
			if r != want[0] {
				t.Errorf("first: %v", r)
			}
			break
		}
		if got := slices.Collect(f.Relocations(nil)); got != nil {
			t.Errorf("nil gives %v", got)
		}
	}
}

// TestOtherRelocations covers what is exposed as a section, and not read.
func TestOtherRelocations(t *testing.T) {
	for name, spoil := range map[string]func(m *image){
		"RELA": func(m *image) { m.put32(m.header(relText)+4, elf.SHT_RELA) },
		"of a dynamic executable": func(m *image) {
			m.put16(16, elf.ET_DYN)
			m.put32(m.header(relText)+40, mapDefs)
			m.put32(m.header(mapDefs)+4, elf.SHT_DYNSYM)
		},
	} {
		m := sample(binary.LittleEndian)
		m.bytes()
		spoil(m)
		f := mustParse(t, m.file)
		s := f.Section(".relxdp")
		if got := slices.Collect(f.Relocations(s)); got != nil || len(s.Data) != 32 {
			t.Errorf("%s: %v, %d bytes of data", name, got, len(s.Data))
		}
	}
}

// TestRelocationAddress has an executable, where an offset is an address and no section need be named.
func TestRelocationAddress(t *testing.T) {
	m := sample(binary.BigEndian)
	m.typ = elf.ET_EXEC
	m.bytes()
	m.put32(m.header(relText)+44, 0)
	m.put64(m.offsets[relText], 1<<63)
	f := mustParse(t, m.file)
	got := slices.Collect(f.Relocations(f.Section(".relxdp")))
	if len(got) != 2 || got[0].Offset != 1<<63 {
		t.Errorf("got %v", got)
	}
	m.put64(m.offsets[relText]+8, sampleSymbols<<32)
	_, err := elf.Parse(m.file)
	wantError(t, err, elf.ErrFormat, `relocation 0 of section 3 ".relxdp"`, "its symbol is 7")
}
