package elf_test

import (
	"bytes"
	debugelf "debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pinion-bpf/pinion/elf"
)

// TestObjects compares with debug/elf, and cuts at every length, every compiled object of the repository.
func TestObjects(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("..", "testdata", "bpf", "*.o"))
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Fatal("no object in testdata/bpf: run make generate")
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f := compare(t, data)
			if f.Type != elf.ET_REL || f.Machine != elf.EM_BPF || f.SymbolCount() == 0 {
				t.Errorf("type %d, machine %d, %d symbols: no BPF object", f.Type, f.Machine, f.SymbolCount())
			}
			for n := range data {
				if _, err := elf.Parse(data[:n:n]); !errors.Is(err, elf.ErrTruncated) {
					t.Fatalf("%d of %d bytes: %v", n, len(data), err)
				}
			}
		})
	}
}

func TestBuiltAgainstDebugELF(t *testing.T) {
	for _, order := range orders {
		for _, typ := range []uint16{elf.ET_REL, elf.ET_EXEC, elf.ET_DYN} {
			m := sample(order)
			m.typ = typ
			compare(t, m.bytes())
		}
	}
}

// compare reads data twice, and wants the same from both.
func compare(t *testing.T, data []byte) *elf.File {
	t.Helper()
	f := mustParse(t, data)
	walk(t, data, f)
	want, err := debugelf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	same(t, f, want)
	return f
}

// same compares what is read with debug/elf's reading.
func same(t testing.TB, f *elf.File, want *debugelf.File) {
	t.Helper()
	if f.Order != want.ByteOrder || f.Type != uint16(want.Type) || f.Machine != uint16(want.Machine) {
		t.Errorf("header: %v, type %d, machine %d, want %v", f.Order, f.Type, f.Machine, want.FileHeader)
	}
	if len(f.Sections) != len(want.Sections) {
		t.Fatalf("%d sections, want %d", len(f.Sections), len(want.Sections))
	}
	for i, s := range f.Sections {
		w := want.Sections[i]
		got := debugelf.SectionHeader{
			Name: s.Name, Type: debugelf.SectionType(s.Type), Flags: debugelf.SectionFlag(s.Flags), Addr: s.Addr, Offset: s.Offset,
			Size: s.Size, Link: s.Link, Info: s.Info, Addralign: s.AddrAlign, Entsize: s.EntSize, FileSize: s.Size,
		}
		if s.Flags&elf.SHF_COMPRESSED != 0 {
			got.Size, got.Addralign = w.Size, w.Addralign // debug/elf's are of the unpacked contents
		}
		if diff := cmp.Diff(w.SectionHeader, got); diff != "" {
			t.Errorf("section %d (-want +got):\n%s", i, diff)
		}
		if s.Data != nil && s.Flags&elf.SHF_COMPRESSED == 0 {
			data, err := w.Data()
			if err != nil || !bytes.Equal(data, s.Data) {
				t.Errorf("section %d: %d bytes of data, want %d, %v", i, len(s.Data), len(data), err)
			}
		}
		sameRelocations(t, f, s)
	}
	sameSymbols(t, f, want)
}

// sameRelocations reads a section again with encoding/binary and debug/elf's structure.
func sameRelocations(t testing.TB, f *elf.File, s elf.Section) {
	t.Helper()
	r := bytes.NewReader(s.Data)
	n := 0
	for got := range f.Relocations(&s) {
		var w debugelf.Rel64
		if err := binary.Read(r, f.Order, &w); err != nil {
			t.Fatal(err)
		}
		want := elf.Relocation{Offset: w.Off, Type: debugelf.R_TYPE64(w.Info), Symbol: int(debugelf.R_SYM64(w.Info))}
		if got != want {
			t.Errorf("section %d relocation %d: %+v, want %+v", s.Index, n, got, want)
		}
		n++
	}
	if s.Type == elf.SHT_REL && f.Type == elf.ET_REL && r.Len() != 0 {
		t.Errorf("section %d: %d bytes of relocations were not read", s.Index, r.Len())
	}
}

func sameSymbols(t testing.TB, f *elf.File, want *debugelf.File) {
	t.Helper()
	symbols, err := want.Symbols()
	if err != nil && !errors.Is(err, debugelf.ErrNoSymbols) {
		t.Fatal(err)
	}
	if n := max(f.SymbolCount()-1, 0); n != len(symbols) {
		t.Fatalf("%d symbols after the empty one, want %d", n, len(symbols))
	}
	special := map[int]debugelf.SectionIndex{elf.SectionAbs: debugelf.SHN_ABS, elf.SectionCommon: debugelf.SHN_COMMON}
	for i, s := range f.Symbols() {
		if i == 0 {
			continue
		}
		w := symbols[i-1] // debug/elf leaves out the empty symbol
		section, ok := special[s.Section]
		if !ok {
			section = debugelf.SectionIndex(s.Section)
		}
		if w.Section == debugelf.SHN_XINDEX || s.Section == elf.SectionReserved {
			section = w.Section // debug/elf leaves these as they are
		}
		got := debugelf.Symbol{
			Name: s.Name, Info: s.Bind<<4 | s.Type, Other: w.Other&^3 | s.Visibility, Section: section, Value: s.Value, Size: s.Size,
		}
		if got != w {
			t.Errorf("symbol %d: %+v, want %+v", i, got, w)
		}
	}
}
