package elf

import (
	"iter"

	"github.com/pinion-bpf/pinion/internal/text"
)

const symbolSize = 24 // Elf64_Sym

// A Symbol is one entry of the symbol table.
type Symbol struct {
	Name       string // empty for section symbols, among others
	Value      uint64 // in a relocatable file an offset in bytes from the start of its section; not checked against its size
	Size       uint64 // in bytes, 0 if none or unknown; not checked
	Section    int    // an index of [File.Sections]; or, not above 0, SectionUndef, SectionAbs, SectionCommon or SectionReserved
	Bind       uint8  // STB_LOCAL ...
	Type       uint8  // STT_FUNC ...
	Visibility uint8  // STV_DEFAULT ...
}

// What [Symbol.Section] holds for a symbol that is in no section.
const (
	SectionUndef    = 0  // not defined in this file: an extern
	SectionAbs      = -1 // an absolute value
	SectionCommon   = -2 // a common block, which the linker has yet to allocate
	SectionReserved = -3 // something that only a certain processor or operating system knows
)

// SymbolCount returns how many symbols .symtab (the section of type SHT_SYMTAB) has, the empty symbol 0 included; 0 if there
// is no .symtab, as in a stripped file.
func (f *File) SymbolCount() int { return len(f.symbols) / symbolSize }

// Symbol returns the symbol with that index, as relocations count them. Index 0 is the empty symbol. The error, an [Error],
// is for an index that .symtab does not have.
func (f *File) Symbol(i int) (Symbol, error) {
	if i < 0 || i >= f.SymbolCount() {
		return Symbol{}, malformed(numbered("symbol", i)+" of .symtab", f.symbolTable().Offset, text.Form("there are {} symbols").
			Int(f.SymbolCount()).String())
	}
	return f.symbolAt(i), nil
}

// Symbols yields every symbol with its index, from the empty symbol 0 on. Parse has checked them all.
func (f *File) Symbols() iter.Seq2[int, Symbol] {
	return func(yield func(int, Symbol) bool) {
		for i := range f.SymbolCount() {
			if !yield(i, f.symbolAt(i)) {
				return
			}
		}
	}
}

func (f *File) symbolAt(i int) Symbol {
	b := f.symbols[i*symbolSize:][:symbolSize]
	return Symbol{
		Name:       stringAt(f.names, f.big.uint32(b)),
		Value:      f.big.uint64(b[8:]),
		Size:       f.big.uint64(b[16:]),
		Section:    f.symbolSection(i, f.big.uint16(b[6:])),
		Bind:       b[4] >> 4,
		Type:       b[4] & 15,
		Visibility: b[5] & 3,
	}
}

// symbolSection returns what st_shndx of symbol i stands for.
func (f *File) symbolSection(i int, index uint16) int {
	switch {
	case index < shnLoReserve:
		return int(index)
	case index == shnXIndex:
		return int(f.big.uint32(f.shndx[4*i:]))
	case index == shnAbs:
		return SectionAbs
	case index == shnCommon:
		return SectionCommon
	}
	return SectionReserved
}

// symbolTable returns .symtab, and an empty section if there is none.
func (f *File) symbolTable() *Section {
	if f.symtab == 0 {
		return &Section{}
	}
	return &f.Sections[f.symtab]
}

// readSymbols finds .symtab and what belongs to it, and checks every symbol.
func (f *File) readSymbols() error {
	for i := range f.Sections {
		if f.Sections[i].Type != SHT_SYMTAB {
			continue
		}
		if f.symtab != 0 {
			return malformed(f.Sections[i].where(), f.Sections[i].Offset, text.Form("a second symbol table; section {} is the first").
				Int(f.symtab).String())
		}
		f.symtab = i
	}
	if f.symtab == 0 {
		return nil
	}
	s := f.symbolTable()
	if err := s.wantTable(symbolSize); err != nil {
		return err
	}
	if uint64(s.Link) >= uint64(len(f.Sections)) {
		return malformed(s.where(), s.Offset, text.Form("symbol names are in section {}, but there are only {} sections").
			Uint(uint64(s.Link)).Int(len(f.Sections)).String())
	}
	var err error
	if f.names, err = readStrings(&f.Sections[s.Link]); err != nil {
		return err
	}
	f.symbols = s.Data
	if err := f.readBigIndices(); err != nil {
		return err
	}
	return f.checkSymbols()
}

// wantTable checks that a section holds whole entries of the given size.
func (s *Section) wantTable(entry uint64) error {
	if s.Flags&SHF_COMPRESSED != 0 {
		return compressed(s)
	}
	if s.EntSize != entry {
		return malformed(s.where(), s.Offset, text.Form("its entries have {} bytes; they should have {}").
			Uint(s.EntSize).Uint(entry).String())
	}
	if s.Size%entry != 0 {
		return malformed(s.where(), s.Offset, text.Form("its {} bytes are no whole number of entries of {}").
			Uint(s.Size).Uint(entry).String())
	}
	return nil
}

// readBigIndices finds the table of section indices that do not fit in 16 bits (gABI, SHT_SYMTAB_SHNDX).
func (f *File) readBigIndices() error {
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Type != SHT_SYMTAB_SHNDX || uint64(s.Link) != uint64(f.symtab) {
			continue
		}
		if f.shndx != nil {
			return malformed(s.where(), s.Offset, "a second table of section indices for one symbol table")
		}
		if want := 4 * f.SymbolCount(); len(s.Data) != want {
			return malformed(s.where(), s.Offset, text.Form("section indices of all symbols take {} bytes; it has {}").
				Int(want).Int(len(s.Data)).String())
		}
		f.shndx = s.Data
	}
	return nil
}

func (f *File) checkSymbols() error {
	for i := range f.SymbolCount() {
		b := f.symbols[i*symbolSize:][:symbolSize]
		what := f.wrongSection(i, f.big.uint16(b[6:]))
		if name := f.big.uint32(b); !hasString(f.names, name) {
			what = noString(name, uint64(f.symbolTable().Link))
		}
		if what != "" {
			return malformed(numbered("symbol", i)+" of .symtab", f.symbolTable().Offset+uint64(i)*symbolSize, what)
		}
	}
	return nil
}

// wrongSection says what is wrong with the section of symbol i, if anything.
func (f *File) wrongSection(i int, index uint16) string {
	section := uint64(index)
	switch {
	case index == shnXIndex && f.shndx == nil:
		return "its section index is in a table of section indices (SHT_SYMTAB_SHNDX), and there is none"
	case index == shnXIndex:
		section = uint64(f.big.uint32(f.shndx[4*i:]))
		if section == 0 {
			return "its section index is in the table of section indices, and there it is 0"
		}
	case index >= shnLoReserve:
		return ""
	}
	if section >= uint64(len(f.Sections)) {
		return text.Form("it is in section {}, but there are only {} sections").Uint(section).Int(len(f.Sections)).String()
	}
	return ""
}
