package btf

import (
	"bytes"

	"github.com/pinion-bpf/pinion/internal/order"
	"github.com/pinion-bpf/pinion/internal/text"
)

const (
	extHeaderLength = 24 // struct btf_ext_header up to line_info_len
	extCORELength   = 32 // and up to core_relo_len

	// maxSectionName bounds the name of an ELF section, in bytes: as long as the longest path that a uprobe's section may hold.
	maxSectionName = 4096 + 256

	insnSize = 8 // bytes in a BPF instruction
)

// Ext is a checked .BTF.ext blob. It may be used by several goroutines at once.
type Ext struct {
	data *Data
	raw  []byte
	info [infoKinds]infoTable
}

// infoKind is one of the three parts of .BTF.ext.
type infoKind uint8

const (
	funcInfo infoKind = iota
	lineInfo
	coreRelo
	infoKinds
)

//go:noinline
func (k infoKind) String() string {
	return [...]string{"func_info", "line_info", "core_relo"}[k]
}

// minRecord returns the length in bytes that a record has had from the first.
func (k infoKind) minRecord() uint32 {
	if k == funcInfo {
		return 8
	}
	return 16
}

// infoTable is one part: records of one size, in blocks of one ELF section each, sorted by the section's name.
type infoTable struct {
	recSize uint32
	blocks  []block
}

// block is a run of records: struct btf_ext_info_sec.
type block struct {
	name, off, count uint32 // name is an offset into the strings of .BTF, off the first record's in .BTF.ext
}

// ParseExt checks a .BTF.ext blob that belongs to d and returns an Ext that reads it in place. What [Parse] says of keeping its blob unchanged holds here too.
//
// Each part may have one block for each ELF section, as compilers and libbpf's linker write them. A second block for the same section is refused, not
// merged: nothing tells which of the two orders of its instruction offsets would be meant.
//
// The error is an [*Error] that wraps [ErrFormat]. Refused are: a wrong magic, version or flags; another byte order than d's; a part outside the blob;
// records shorter than the kernel's first version of them, or not of whole words; a block that is empty, cut short, or whose section name is outside the
// strings of d or longer than 4352 bytes; an instruction offset that is no multiple of 8; a func_info record whose type is no FUNC; a core_relo record
// whose type does not exist; a file name, source line or access string outside the strings.
func ParseExt(raw []byte, d *Data) (*Ext, error) {
	e := &Ext{data: d, raw: raw}
	if d == nil {
		return nil, e.fail(0, "no BTF is there for it to refer to")
	}
	big, hdrLen, err := readPrefix(raw, extHeaderLength, true)
	if err != nil {
		return nil, err
	}
	if big != d.big {
		return nil, e.fail(0, "its byte order is not that of .BTF")
	}
	for kind := range infoKinds {
		field := 8 + 8*uint32(kind)
		if kind == coreRelo && hdrLen < extCORELength {
			break
		}
		if err := e.readPart(kind, hdrLen, field); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// readPart reads one of the parts, whose offset and length are at the byte field of the header.
func (e *Ext) readPart(kind infoKind, hdrLen, field uint32) error {
	length := uint64(e.u32(field + 4))
	if length == 0 {
		return nil
	}
	start := uint64(hdrLen) + uint64(e.u32(field))
	end := start + length
	switch {
	case end > uint64(len(e.raw)):
		return e.fail(field, text.Form("{} ends beyond the blob, which has {} bytes").Add(kind.String()).Int(len(e.raw)).String())
	case start%4 != 0 || length < 4:
		return e.fail(field, kind.String()+" does not begin at a multiple of 4, or has no record size")
	}
	off := uint32(start)
	table := infoTable{recSize: e.u32(off)}
	if table.recSize < kind.minRecord() || table.recSize%4 != 0 {
		return e.fail(off, text.Form("{} records of {} bytes, not of {} or more whole words").
			Add(kind.String()).Uint(uint64(table.recSize)).Uint(uint64(kind.minRecord())).String())
	}
	part := span{off + 4, uint32(end)}
	count, err := e.walk(kind, table, part)
	if err != nil {
		return err
	}
	table.blocks = make([]block, 0, count)
	for at := part.start; at < part.end; {
		b := e.block(at)
		table.blocks = append(table.blocks, b)
		at = b.off + b.count*table.recSize
	}
	e.info[kind] = table
	return e.sort(kind)
}

// block reads the head of the block at off.
func (e *Ext) block(off uint32) block {
	return block{name: e.u32(off), count: e.u32(off + 4), off: off + 8}
}

// walk checks every block of a part and its records, and returns the number of blocks.
func (e *Ext) walk(kind infoKind, table infoTable, part span) (count int, err error) {
	for off := part.start; off < part.end; count++ {
		if part.end-off < 8 {
			return 0, e.fail(off, kind.String()+" block is cut short")
		}
		b := e.block(off)
		length := uint64(b.count) * uint64(table.recSize)
		switch name := e.data.tailOf(b.name); {
		case len(name) == 0:
			return 0, e.fail(off, text.Form("{} section name at {} is outside the strings").Add(kind.String()).Uint(uint64(b.name)).String())
		case bytes.IndexByte(name[:min(len(name), maxSectionName+1)], 0) < 0:
			return 0, e.fail(off, text.Form("{} section name is longer than {} bytes").Add(kind.String()).Uint(uint64(maxSectionName)).String())
		case b.count == 0:
			return 0, e.fail(off, kind.String()+" block has no records")
		case length > uint64(part.end-b.off):
			return 0, e.fail(off, text.Form("{} block of {} records ends beyond its part").Add(kind.String()).Uint(uint64(b.count)).String())
		}
		r := e.records(table, b)
		for i := range int(b.count) {
			if reason := e.checkRecord(kind, r, i); reason != "" {
				return 0, e.fail(b.off+uint32(i)*table.recSize, kind.String()+" record: "+reason)
			}
		}
		off = b.off + uint32(length)
	}
	return count, nil
}

// sort orders a part's blocks by section, and refuses a section that has two.
func (e *Ext) sort(kind infoKind) error {
	name := func(b *block) string { return e.data.String(b.name) }
	blocks := e.info[kind].blocks
	order.Sort(len(blocks),
		func(a, b int) bool { return name(&blocks[a]) < name(&blocks[b]) },
		func(a, b int) { blocks[a], blocks[b] = blocks[b], blocks[a] })
	for i := 1; i < len(blocks); i++ {
		if name(&blocks[i-1]) == name(&blocks[i]) {
			return e.fail(blocks[i].off-8, kind.String()+" has two blocks for section "+printable(name(&blocks[i])))
		}
	}
	return nil
}

// find returns the records of a section.
func (e *Ext) find(kind infoKind, section string) (Records, bool) {
	table := e.info[kind]
	i := order.First(len(table.blocks), func(i int) bool { return e.data.String(table.blocks[i].name) >= section })
	if i == len(table.blocks) || e.data.String(table.blocks[i].name) != section {
		return Records{}, false
	}
	return e.records(table, table.blocks[i]), true
}

// FuncInfo returns the func_info records of an ELF section, and whether there are any. See [Ext.FuncInfoAt].
func (e *Ext) FuncInfo(section string) (Records, bool) { return e.find(funcInfo, section) }

// LineInfo returns the line_info records of an ELF section, and whether there are any. See [Ext.LineInfoAt].
func (e *Ext) LineInfo(section string) (Records, bool) { return e.find(lineInfo, section) }

// CORERelos returns the CO-RE relocation records of an ELF section, and whether there are any. See [Ext.COREReloAt].
func (e *Ext) CORERelos(section string) (Records, bool) { return e.find(coreRelo, section) }

func (e *Ext) records(table infoTable, b block) Records {
	end := b.off + b.count*table.recSize
	return Records{RecSize: table.recSize, Count: b.count, Data: e.raw[b.off:end:end], Offset: b.off}
}

// u32 reads a word in the byte order of the BTF, which is this blob's too.
//
//go:noinline
func (e *Ext) u32(off uint32) uint32 { return order32(e.raw[off:], e.data.big) }

//go:noinline
func (e *Ext) fail(off uint32, reason string) error {
	return &Error{Err: ErrFormat, Ext: true, Offset: off, Reason: reason}
}
