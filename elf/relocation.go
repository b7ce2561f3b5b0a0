package elf

import (
	"iter"

	"github.com/pinion-bpf/pinion/internal/text"
)

const relocationSize = 16 // Elf64_Rel

// A Relocation asks for one place to be changed once a symbol's value is known. What is added to that value lies in the place
// itself.
type Relocation struct {
	Offset uint64 // of the place: in a relocatable file in bytes from the start of its section, and below its size; else an address
	Type   uint32 // R_BPF_64_64 ..., which the machine defines
	Symbol int    // an index for [File.Symbol], checked; 0 if the relocation is of no symbol
}

// Relocations yields what a section of type SHT_REL holds, in its order; s.Info is the index of the section to be changed. Parse
// has checked them all. Of any other section, a SHT_REL section that refers to other symbols than .symtab's (such as those of
// a dynamic executable), and nil, it yields nothing. SHT_RELA is not read: BPF has none, so a loader should refuse it.
//
// The section must be one of f's, or a copy of one.
func (f *File) Relocations(s *Section) iter.Seq[Relocation] {
	return func(yield func(Relocation) bool) {
		if s == nil || !f.relocates(s) {
			return
		}
		for rest := s.Data; len(rest) >= relocationSize; rest = rest[relocationSize:] {
			info := f.big.uint64(rest[8:])
			if !yield(Relocation{Offset: f.big.uint64(rest), Type: uint32(info), Symbol: int(info >> 32)}) {
				return
			}
		}
	}
}

// relocates reports whether s has relocations with symbols of .symtab.
func (f *File) relocates(s *Section) bool {
	return s.Type == SHT_REL && f.symtab != 0 && uint64(s.Link) == uint64(f.symtab)
}

func (f *File) checkRelocations() error {
	for i := range f.Sections {
		s := &f.Sections[i]
		if s.Type != SHT_REL {
			continue
		}
		if f.relocates(s) {
			if err := f.checkRelocationsOf(s); err != nil {
				return err
			}
		} else if f.Type == ET_REL {
			return malformed(s.where(), s.Offset, text.Form("its symbols should be those of .symtab, but are in section {}").
				Uint(uint64(s.Link)).String())
		}
	}
	return nil
}

func (f *File) checkRelocationsOf(s *Section) error {
	if err := s.wantTable(relocationSize); err != nil {
		return err
	}
	size := ^uint64(0)
	if f.Type == ET_REL {
		if s.Info == 0 || uint64(s.Info) >= uint64(len(f.Sections)) {
			return malformed(s.where(), s.Offset, text.Form("it changes section {}, and there is none").Uint(uint64(s.Info)).String())
		}
		size = f.Sections[s.Info].Size
	}
	for at := 0; at < len(s.Data); at += relocationSize {
		offset, symbol := f.big.uint64(s.Data[at:]), f.big.uint64(s.Data[at+8:])>>32
		what := ""
		switch {
		case symbol >= uint64(f.SymbolCount()):
			what = text.Form("its symbol is {}, but there are only {}").Uint(symbol).Int(f.SymbolCount()).String()
		case offset >= size:
			what = text.Form("it changes byte {} of section {}, which has only {}").Uint(offset).Uint(uint64(s.Info)).Uint(size).String()
		default:
			continue
		}
		return malformed(text.Form("relocation {} of {}").Int(at/relocationSize).Add(s.where()).String(), s.Offset+uint64(at), what)
	}
	return nil
}
