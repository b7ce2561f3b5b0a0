package elf

import (
	"encoding/binary"
	"slices"

	"github.com/pinion-bpf/pinion/internal/text"
)

// A File is a parsed ELF file. It may be read by any number of goroutines at once. Do not edit it: Parse's checks hold for the
// file as it was.
type File struct {
	Order    binary.ByteOrder // binary.LittleEndian or binary.BigEndian
	Type     uint16           // ET_REL for what a compiler wrote, BPF objects among them
	Machine  uint16           // EM_BPF; 0 in objects of old compilers
	Flags    uint32           // e_flags, which the machine defines
	Sections []Section        // by index, the empty section 0 included; nil if the file has no section table

	big     bigEndian
	symtab  int    // index of .symtab, 0 if there is none
	symbols []byte // its contents, a multiple of symbolSize
	names   string // its string table, as readStrings gives it
	shndx   []byte // section indices too big for a symbol, 4 bytes a symbol; nil if there are none
}

// A Section is one entry of the section table. Its strings and bytes are views of the slice that was parsed.
type Section struct {
	Index     int    // its place in [File.Sections]
	Name      string // empty if the file names no sections
	Type      uint32 // SHT_PROGBITS ...
	Flags     uint64 // SHF_ALLOC ...
	Addr      uint64 // address in memory, 0 in a relocatable file
	Offset    uint64 // where its contents are, in bytes from the start of the file
	Size      uint64 // in bytes; unbounded if the type is SHT_NOBITS
	AddrAlign uint64 // alignment in bytes; 0 and 1 mean none; not checked to be a power of two
	EntSize   uint64 // size of one entry in bytes, 0 if it is no table
	Link      uint32 // another section's index; of which, the type tells
	Info      uint32 // of a SHT_REL section, the index of the section that its relocations change
	Data      []byte // Size bytes of contents, compressed if Flags has SHF_COMPRESSED; nil for SHT_NOBITS and SHT_NULL
}

// Section returns the first section of that name, nil if there is none. Names need not be unique in ELF.
func (f *File) Section(name string) *Section {
	i := slices.IndexFunc(f.Sections, func(s Section) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return &f.Sections[i]
}

// where names the section in an error, once its name is known.
//
//go:noinline
func (s *Section) where() string {
	return text.Form("section {} {}").Int(s.Index).Quote(s.Name).String()
}
