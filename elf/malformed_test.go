package elf_test

import (
	"testing"

	"github.com/pinion-bpf/pinion/elf"
)

// The places that errors of the file as a whole name, and what they say of names.
const header, table, names = "file header", "section table", "does not begin and end inside"

// malformed spoils the sample, one thing a case.
var malformed = []struct {
	name, where, what string
	kind              error // ErrFormat if nil
	spoil             func(m *image)
}{
	{"magic", header, "not an ELF file", nil, func(m *image) { m.file[3] = 'G' }},
	{"class 32", header, "32-bit file", elf.ErrClass, func(m *image) { m.file[4] = 1 }},
	{"short 32-bit file", header, "32-bit file", elf.ErrClass, func(m *image) { m.file[4] = 1; m.file = m.file[:52] }},
	{"class 3", header, "class 3 is unknown", nil, func(m *image) { m.file[4] = 3 }},
	{"byte order", header, "byte order 0", nil, func(m *image) { m.file[5] = 0 }},
	{"ident version", header, "version 0/1", nil, func(m *image) { m.file[6] = 0 }},
	{"version", header, "version 1/2", nil, func(m *image) { m.put32(20, 2) }},
	{"empty", header, "there are only 0", elf.ErrTruncated, func(m *image) { m.file = nil }},
	{"header cut", header, "there are only 63", elf.ErrTruncated, func(m *image) { m.file = m.file[:63] }},
	{"not ELF and short", header, "not an ELF file", nil, func(m *image) { m.file = []byte("#!") }},

	{"no table", header, "says nowhere", nil, func(m *image) { m.put64(40, 0) }},
	{"header size", header, "section headers of 40 bytes", nil, func(m *image) { m.put16(58, 40) }},
	{"table offset", table, "do not fit", elf.ErrTruncated, func(m *image) { m.put64(40, uint64(len(m.file))+1) }},
	{"table at the end", table, "do not fit", elf.ErrTruncated, func(m *image) { m.put64(40, uint64(len(m.file))) }},
	{"table offset huge", table, "do not fit", elf.ErrTruncated, func(m *image) { m.put64(40, 1<<64-1) }},
	{"one section too many", table, "8 headers", elf.ErrTruncated, func(m *image) { m.put16(60, 8) }},
	{"section 0 in use", "section header 0", "its type is 1", nil, func(m *image) { m.put32(m.table+4, 1) }},
	{"extended count 0", "section header 0", "it counts 0", nil, func(m *image) { m.put16(60, 0) }},
	{"extended count small", "section header 0", "it counts 65279", nil, func(m *image) { m.put16(60, 0); m.put64(m.table+32, 0xfeff) }},
	{"extended count", table, "65280 headers", elf.ErrTruncated, func(m *image) { m.put16(60, 0); m.put64(m.table+32, 0xff00) }},
	{"extended count huge", table, "do not fit", elf.ErrTruncated, func(m *image) { m.put16(60, 0); m.put64(m.table+32, 1<<58+1) }},
	{"names nowhere", header, "names are in section 7", nil, func(m *image) { m.put16(62, 7) }},
	{"names reserved", header, "reserved", nil, func(m *image) { m.put16(62, 0xff00) }},
	{"names extended", header, "names are in section 9", nil, func(m *image) { m.put16(62, 0xffff); m.put32(m.table+40, 9) }},
	{"names no strings", "section 2", "its type is 1", nil, func(m *image) { m.put16(62, text) }},
	{"names without bytes", "section 5", "its type is 8", nil, func(m *image) { m.put16(62, bss) }},
	{"section name", "section header 4", names, nil, func(m *image) { m.put32(m.header(mapDefs), uint32(len(m.strings))) }},

	{"section offset", "section header 4", "the section ends", elf.ErrTruncated, func(m *image) { m.put64(m.header(mapDefs)+24, uint64(len(m.file))-15) }},
	{"section size", "section header 4", "the section ends", elf.ErrTruncated, func(m *image) { m.put64(m.header(mapDefs)+32, uint64(len(m.file))) }},
	{"section sum", "section header 4", "do not add up", nil, func(m *image) { m.put64(m.header(mapDefs)+32, 1<<64-1) }},
	{"overlap", "section header 4", "overlap", nil, func(m *image) {
		m.put64(m.header(mapDefs)+24, 0)
		m.put64(m.header(mapDefs)+32, uint64(len(m.file)))
	}},

	{"two symbol tables", `section 6 ".symtab"`, "second symbol table", nil, func(m *image) { m.put32(m.header(mapDefs)+4, elf.SHT_SYMTAB) }},
	{"symbol size", `section 6 ".symtab"`, "entries have 16", nil, func(m *image) { m.put64(m.header(symtab)+56, 16) }},
	{"symbols compressed", "section 6", "compressed", nil, func(m *image) { m.put64(m.header(symtab)+8, elf.SHF_COMPRESSED) }},
	{"names compressed", "section 1", "compressed", nil, func(m *image) { m.put64(m.header(strtab)+8, elf.SHF_COMPRESSED) }},
	{"symbols cut", `section 6 ".symtab"`, "no whole number", nil, func(m *image) { m.put64(m.header(symtab)+32, 50) }},
	{"symbol names nowhere", `section 6 ".symtab"`, "names are in section 7", nil, func(m *image) { m.put32(m.header(symtab)+40, 7) }},
	{"symbol names no strings", "section 0", "its type is 0", nil, func(m *image) { m.put32(m.header(symtab)+40, 0) }},
	{"symbol name", "symbol 3 of .symtab", names, nil, func(m *image) { m.put32(m.offsets[symtab]+3*24, uint32(len(m.strings))) }},
	{"symbol section", "symbol 2 of .symtab", "in section 7", nil, func(m *image) { m.put16(m.offsets[symtab]+2*24+6, 7) }},
	{"symbol section extended", "symbol 2 of .symtab", "there is none", nil, func(m *image) { m.put16(m.offsets[symtab]+2*24+6, 0xffff) }},
	{"indices too few", `section 4 ".maps"`, "take 28 bytes; it has 16", nil, func(m *image) {
		m.put32(m.header(mapDefs)+4, elf.SHT_SYMTAB_SHNDX)
		m.put32(m.header(mapDefs)+40, symtab)
	}},
	{"two tables of indices", `section 4 ".maps"`, "second table of section indices", nil, func(m *image) {
		for _, i := range []int{text, mapDefs} {
			m.put32(m.header(i)+4, elf.SHT_SYMTAB_SHNDX)
			m.put32(m.header(i)+40, symtab)
			m.put64(m.header(i)+32, 4*sampleSymbols)
		}
	}},

	{"relocation size", `section 3 ".relxdp"`, "entries have 24", nil, func(m *image) { m.put64(m.header(relText)+56, 24) }},
	{"relocations cut", `section 3 ".relxdp"`, "no whole number", nil, func(m *image) { m.put64(m.header(relText)+32, 31) }},
	{"relocation of nothing", `section 3 ".relxdp"`, "changes section 0", nil, func(m *image) { m.put32(m.header(relText)+44, 0) }},
	{"relocation of no section", `section 3 ".relxdp"`, "changes section 7", nil, func(m *image) { m.put32(m.header(relText)+44, 7) }},
	{"relocation without symbols", `section 3 ".relxdp"`, "are in section 1", nil, func(m *image) { m.put32(m.header(relText)+40, strtab) }},
	{"relocation symbol", `relocation 1 of section 3 ".relxdp"`, "its symbol is 7", nil, func(m *image) { m.put64(m.offsets[relText]+24, 7<<32|1) }},
	{"relocation symbol huge", `relocation 0 of section 3 ".relxdp"`, "its symbol is 4294967295", nil, func(m *image) { m.put64(m.offsets[relText]+8, 1<<64-1) }},
	{"relocation offset", `relocation 0 of section 3 ".relxdp"`, "byte 48 of section 2", nil, func(m *image) { m.put64(m.offsets[relText], 48) }},
}

func TestMalformed(t *testing.T) {
	for _, c := range malformed {
		t.Run(c.name, func(t *testing.T) {
			for _, order := range orders {
				m := sample(order)
				m.bytes()
				c.spoil(m)
				kind := c.kind
				if kind == nil {
					kind = elf.ErrFormat
				}
				f, err := elf.Parse(m.file)
				wantError(t, err, kind, c.where, c.what)
				if f != nil {
					t.Error("an error and a File")
				}
			}
		})
	}
}
