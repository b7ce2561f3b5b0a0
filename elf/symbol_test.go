package elf_test

import (
	"encoding/binary"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/pinion-bpf/pinion/elf"
)

func TestSymbols(t *testing.T) {
	want := []elf.Symbol{
		{},
		{Section: text, Type: elf.STT_SECTION},
		{Name: "count", Section: text, Value: 8, Size: 40, Bind: elf.STB_GLOBAL, Type: elf.STT_FUNC, Visibility: elf.STV_HIDDEN},
		{Name: "flows", Section: mapDefs, Size: 16, Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT},
		{Name: "version", Section: elf.SectionAbs, Value: 7},
		{Name: "kfunc", Section: elf.SectionUndef, Bind: elf.STB_WEAK},
		{Name: "shared", Section: elf.SectionCommon, Value: 8, Size: 8, Bind: elf.STB_GLOBAL, Type: elf.STT_OBJECT},
	}
	for _, order := range orders {
		data := sample(order).bytes()
		f := mustParse(t, data)
		if f.SymbolCount() != sampleSymbols {
			t.Fatalf("%d symbols, want %d", f.SymbolCount(), sampleSymbols)
		}
		var got []elf.Symbol
		for i, s := range f.Symbols() {
			one, err := f.Symbol(i)
			if err != nil || one != s || i != len(got) {
				t.Errorf("symbol %d is %v when iterating, alone %v, %v", i, s, one, err)
			}
			got = append(got, s)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("symbols (-want +got):\n%s", diff)
		}
		name := uintptr(unsafe.Pointer(unsafe.StringData(got[2].Name)))
		if first := uintptr(unsafe.Pointer(&data[0])); name < first || name >= first+uintptr(len(data)) {
			t.Error("a symbol's name is a copy")
		}
		for _, i := range []int{-1, sampleSymbols, 1 << 30} {
			s, err := f.Symbol(i)
			if err == nil || s != (elf.Symbol{}) {
				t.Errorf("Symbol(%d) = %v, %v", i, s, err)
			}
		}
		for i := range f.Symbols() {
			if i == 2 {
				break
			}
		}
	}
}

func TestReservedSection(t *testing.T) {
	for _, index := range []uint16{0xff00, 0xff02, 0xfff0, 0xfff3, 0xfffe} {
		m := sample(binary.LittleEndian)
		m.bytes()
		m.put16(m.offsets[symtab]+2*24+6, index)
		s, err := mustParse(t, m.file).Symbol(2)
		if err != nil || s.Section != elf.SectionReserved {
			t.Errorf("section index %#x: %v, %v", index, s, err)
		}
	}
}
