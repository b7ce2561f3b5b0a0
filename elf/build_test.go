package elf_test

import (
	"encoding/binary"
	"slices"

	"github.com/pinion-bpf/pinion/elf"
)

// part is a section of an image, before it has a place in the file.
type part struct {
	name       string
	typ        uint32
	flags      uint64
	link, info uint32
	entSize    uint64
	size       uint64 // of SHT_NOBITS; otherwise data tells
	data       []byte
}

// byteOrder reads, writes and appends.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// image is an ELF file built by hand. Section 0 is added by itself; .strtab, section 1, has the names of sections and symbols.
type image struct {
	order      byteOrder
	typ        uint16
	parts      []part
	strings    []byte
	tableFirst bool // the section table comes before the sections, as no compiler has it
	extended   bool // counts are in section header 0, as if they were large

	file    []byte
	offsets []int // of sections' contents, after bytes()
	table   int   // offset of the section table, after bytes()
}

func newImage(order byteOrder) *image {
	m := &image{order: order, typ: elf.ET_REL, strings: []byte{0}}
	m.add(part{name: ".strtab", typ: elf.SHT_STRTAB})
	return m
}

// add returns the index of the section added.
func (m *image) add(p part) int {
	m.parts = append(m.parts, p)
	return len(m.parts)
}

func (m *image) text(s string) uint32 {
	if s == "" {
		return 0
	}
	m.strings = append(append(m.strings, s...), 0)
	return uint32(len(m.strings) - len(s) - 1)
}

func (m *image) symbol(name string, info, other byte, section uint16, value, size uint64) []byte {
	b := m.order.AppendUint32(nil, m.text(name))
	b = m.order.AppendUint16(append(b, info, other), section)
	return m.order.AppendUint64(m.order.AppendUint64(b, value), size)
}

func (m *image) relocation(offset uint64, symbol, typ uint32) []byte {
	return m.order.AppendUint64(m.order.AppendUint64(nil, offset), uint64(symbol)<<32|uint64(typ))
}

// bytes lays the file out. Afterwards patch changes it.
func (m *image) bytes() []byte {
	names := []uint32{0}
	for _, p := range m.parts {
		names = append(names, m.text(p.name))
	}
	m.parts[0].data = m.strings
	m.file = make([]byte, elf.HeaderSize)
	count := len(m.parts) + 1
	if m.tableFirst {
		m.table = len(m.file)
		m.file = append(m.file, make([]byte, count*elf.SectionHeaderSize)...)
	}
	m.offsets = []int{0}
	for _, p := range m.parts {
		m.offsets = append(m.offsets, len(m.file))
		m.file = append(m.file, p.data...)
	}
	if !m.tableFirst {
		m.table = len(m.file)
		m.file = append(m.file, make([]byte, count*elf.SectionHeaderSize)...)
	}
	m.fileHeader(count)
	for i, p := range m.parts {
		m.sectionHeader(i+1, names[i+1], p)
	}
	return m.file
}

func (m *image) fileHeader(count int) {
	data := byte(1)
	if m.order == byteOrder(binary.BigEndian) {
		data = 2
	}
	copy(m.file, []byte{0x7f, 'E', 'L', 'F', 2, data, 1})
	m.put16(16, m.typ)
	m.put16(18, elf.EM_BPF)
	m.put32(20, 1)
	m.put64(40, uint64(m.table))
	m.put32(48, 0xabcd) // e_flags
	m.put16(52, elf.HeaderSize)
	m.put16(58, elf.SectionHeaderSize)
	if !m.extended {
		m.put16(60, uint16(count))
		m.put16(62, 1)
		return
	}
	m.put16(62, 0xffff)
	m.put64(m.table+32, uint64(count))
	m.put32(m.table+40, 1)
}

func (m *image) sectionHeader(i int, name uint32, p part) {
	h := m.header(i)
	m.put32(h, name)
	m.put32(h+4, p.typ)
	m.put64(h+8, p.flags)
	m.put64(h+24, uint64(m.offsets[i]))
	m.put64(h+32, max(p.size, uint64(len(p.data))))
	m.put32(h+40, p.link)
	m.put32(h+44, p.info)
	m.put64(h+48, 1)
	m.put64(h+56, p.entSize)
}

// header returns the offset of a section's header.
func (m *image) header(i int) int { return m.table + i*elf.SectionHeaderSize }

func (m *image) put16(at int, v uint16) { m.order.PutUint16(m.file[at:], v) }
func (m *image) put32(at int, v uint32) { m.order.PutUint32(m.file[at:], v) }
func (m *image) put64(at int, v uint64) { m.order.PutUint64(m.file[at:], v) }

// Sections of the sample, by index.
const (
	strtab = iota + 1
	text
	relText
	mapDefs
	bss
	symtab
)

// sampleSymbols is how many symbols the sample has, the empty one included.
const sampleSymbols = 7

// sample is laid out as clang lays out a small BPF object.
func sample(order byteOrder) *image {
	m := newImage(order)
	m.add(part{name: "xdp", typ: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC | elf.SHF_EXECINSTR, data: make([]byte, 48)})
	m.add(part{name: ".relxdp", typ: elf.SHT_REL, flags: elf.SHF_INFO_LINK, link: symtab, info: text, entSize: 16, data: slices.Concat(
		m.relocation(0, 3, elf.R_BPF_64_64),
		m.relocation(16, 5, elf.R_BPF_64_32),
	)})
	m.add(part{name: ".maps", typ: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC | elf.SHF_WRITE, data: []byte("map definitions!")})
	m.add(part{name: ".bss", typ: elf.SHT_NOBITS, flags: elf.SHF_ALLOC | elf.SHF_WRITE, size: 1 << 40})
	m.add(part{name: ".symtab", typ: elf.SHT_SYMTAB, link: strtab, info: 2, entSize: 24, data: slices.Concat(
		m.symbol("", 0, 0, 0, 0, 0),
		m.symbol("", elf.STT_SECTION, 0, text, 0, 0),
		m.symbol("count", elf.STB_GLOBAL<<4|elf.STT_FUNC, elf.STV_HIDDEN, text, 8, 40),
		m.symbol("flows", elf.STB_GLOBAL<<4|elf.STT_OBJECT, 0, mapDefs, 0, 16),
		m.symbol("version", elf.STT_NOTYPE, 0, 0xfff1, 7, 0),
		m.symbol("kfunc", elf.STB_WEAK<<4|elf.STT_NOTYPE, 0, 0, 0, 0),
		m.symbol("shared", elf.STB_GLOBAL<<4|elf.STT_OBJECT, 0, 0xfff2, 8, 8),
	)})
	return m
}

// orders is what every test of reading goes through.
var orders = []byteOrder{binary.LittleEndian, binary.BigEndian}
