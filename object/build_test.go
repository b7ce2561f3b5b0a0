package object_test

import (
	"encoding/binary"

	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/object"
)

// part is a section of an object that is built by hand.
type part struct {
	name  string
	typ   uint32
	flags uint64
	data  []byte
	size  uint64 // of SHT_NOBITS
	rels  []rel
	rela  bool // the relocations are said to have addends
}

// rel is a relocation; sym is an index into image.syms.
type rel struct {
	offset uint64
	typ    uint32
	sym    int
}

// sym is a symbol; section is an index into image.parts, -1 for an undefined one.
type sym struct {
	name        string
	bind, typ   byte
	visibility  byte
	section     int
	value, size uint64
}

// image is a little-endian object.
type image struct {
	typ, machine uint16
	parts        []part
	syms         []sym
}

const exec = elf.SHF_ALLOC | elf.SHF_EXECINSTR

// header is a section header, with its contents.
type header struct {
	name               uint32
	typ                uint32
	flags, size        uint64
	link, info, extent uint32
	data               []byte
}

// bytes lays the object out: section 1 has all names, 2 the symbols, then the parts, then their relocations.
func (m *image) bytes() []byte {
	names := []byte{0}
	name := func(s string) uint32 {
		names = append(append(names, s...), 0)
		return uint32(len(names) - len(s) - 1)
	}
	headers := []header{{}, {name: name(".strtab"), typ: elf.SHT_STRTAB}, {name: name(".symtab"), typ: elf.SHT_SYMTAB, link: 1, info: 1, extent: 24}}
	var rels []header
	for i, p := range m.parts {
		headers = append(headers, header{name: name(p.name), typ: max(p.typ, elf.SHT_PROGBITS), flags: p.flags, size: p.size, data: p.data})
		if len(p.rels) == 0 {
			continue
		}
		h := header{name: name(".rel" + p.name), typ: elf.SHT_REL, link: 2, info: uint32(i + 3), extent: 16}
		if p.rela {
			h.typ, h.extent = elf.SHT_RELA, 24
		}
		for _, r := range p.rels {
			h.data = binary.LittleEndian.AppendUint64(h.data, r.offset)
			h.data = binary.LittleEndian.AppendUint64(h.data, uint64(r.sym+1)<<32|uint64(r.typ))
		}
		rels = append(rels, h)
	}
	headers = append(headers, rels...)
	symbols := make([]byte, 24)
	for _, s := range m.syms {
		symbols = binary.LittleEndian.AppendUint32(symbols, name(s.name))
		symbols = append(symbols, s.bind<<4|s.typ, s.visibility)
		section := uint16(0)
		if s.section >= 0 {
			section = uint16(s.section + 3)
		}
		symbols = binary.LittleEndian.AppendUint16(symbols, section)
		symbols = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(symbols, s.value), s.size)
	}
	headers[1].data, headers[2].data = names, symbols
	return m.layOut(headers)
}

func (m *image) layOut(headers []header) []byte {
	le := binary.LittleEndian
	file := make([]byte, 64)
	copy(file, "\x7fELF\x02\x01\x01")
	var table []byte
	for _, h := range headers {
		table = le.AppendUint32(le.AppendUint32(table, h.name), h.typ)
		table = le.AppendUint64(le.AppendUint64(table, h.flags), 0)
		table = le.AppendUint64(le.AppendUint64(table, uint64(len(file))), max(h.size, uint64(len(h.data))))
		table = le.AppendUint32(le.AppendUint32(table, h.link), h.info)
		table = le.AppendUint64(le.AppendUint64(table, 8), uint64(h.extent))
		file = append(file, h.data...)
		for len(file)%8 != 0 {
			file = append(file, 0)
		}
	}
	le.PutUint16(file[16:], m.typ)
	le.PutUint16(file[18:], m.machine)
	le.PutUint32(file[20:], 1)
	le.PutUint64(file[40:], uint64(len(file)))
	le.PutUint16(file[52:], 64)
	le.PutUint16(file[58:], 64)
	le.PutUint16(file[60:], uint16(len(headers)))
	le.PutUint16(file[62:], 1)
	return append(file, table...)
}

func (m *image) parse() (*object.Spec, error) { return object.Parse("test", m.bytes()) }

// insn is one instruction.
func insn(opcode, registers byte, immediate int32) []byte {
	b := []byte{opcode, registers, 0, 0}
	return binary.LittleEndian.AppendUint32(b, uint32(immediate))
}

func words(values ...uint32) (b []byte) {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// Instructions for tests.
var (
	exit   = insn(0x95, 0, 0)
	load64 = append(insn(0x18, 0x01, 0), insn(0, 0, 0)...)
	call   = insn(0x85, 0x10, -1)
)

// Sections of a sample, by index in its parts.
const (
	partProgram = iota
	partText
	partMaps
	partData
	partBSS
)

// Symbols of a sample, by index.
const (
	symMain = iota
	symSub
	symFirst
	symSecond
	symVariable
	symZero
	symExtern
	symText
)

// sample is an object without BTF: a program that loads a map, two variables and calls a subprogram.
func sample() *image {
	return &image{typ: elf.ET_REL, machine: elf.EM_BPF,
		parts: []part{
			{name: "socket", flags: exec, data: join(load64, load64, load64, call, exit), rels: []rel{
				{0, elf.R_BPF_64_64, symSecond},
				{16, elf.R_BPF_64_64, symVariable},
				{32, elf.R_BPF_64_64, symZero},
				{48, elf.R_BPF_64_32, symSub},
			}},
			{name: ".text", flags: exec, data: join(exit, exit)},
			{name: "maps", flags: elf.SHF_ALLOC, data: words(1, 4, 8, 16, 1, 2, 4, 4, 1, 0)},
			{name: ".data", flags: elf.SHF_ALLOC, data: words(7, 8, 9)},
			{name: ".bss", typ: elf.SHT_NOBITS, flags: elf.SHF_ALLOC, size: 16},
		},
		syms: []sym{
			{"main", elf.STB_GLOBAL, elf.STT_FUNC, 0, partProgram, 0, 64},
			{"sub", elf.STB_GLOBAL, elf.STT_FUNC, 0, partText, 8, 8},
			{"first", elf.STB_GLOBAL, elf.STT_OBJECT, 0, partMaps, 0, 20},
			{"second", elf.STB_GLOBAL, elf.STT_OBJECT, 0, partMaps, 20, 20},
			{"variable", elf.STB_GLOBAL, elf.STT_OBJECT, 0, partData, 4, 4},
			{"zero", elf.STB_WEAK, elf.STT_OBJECT, 0, partBSS, 8, 8},
			{"missing", elf.STB_GLOBAL, elf.STT_NOTYPE, 0, -1, 0, 0},
			{"", elf.STB_LOCAL, elf.STT_SECTION, 0, partText, 0, 0},
		},
	}
}

func join(pieces ...[]byte) (all []byte) {
	for _, p := range pieces {
		all = append(all, p...)
	}
	return all
}
