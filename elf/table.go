package elf

import "github.com/pinion-bpf/pinion/internal/text"

// Sizes of the headers of 64-bit ELF, in bytes. A file that states another size is refused.
const (
	HeaderSize        = 64 // the file header, Elf64_Ehdr
	SectionHeaderSize = 64 // a section header, Elf64_Shdr
)

// MaxSections is the largest number of sections that a file may have. It keeps the section slice addressable on 32-bit machines.
const MaxSections = 1 << 18

// table tells where the section headers are, and which section has their names.
type table struct {
	offset uint64 // in bytes
	count  uint64 // headers, 0 if the file has none; all of them lie within the file
	names  uint64 // index below count, 0 if sections have no names
}

// findTable reads where the section table is.
func findTable(data []byte, big bigEndian) (table, error) {
	const where = "file header"
	t := table{
		offset: big.uint64(data[40:]),
		count:  uint64(big.uint16(data[60:])),
		names:  uint64(big.uint16(data[62:])),
	}
	if t.offset == 0 {
		if t.count != 0 {
			return t, malformed(where, 0, text.Form("it promises {} sections, but says nowhere where they are").Uint(t.count).String())
		}
		return t, nil
	}
	if size := big.uint16(data[58:]); size != SectionHeaderSize {
		return t, malformed(where, 0, text.Form("section headers of {} bytes; they should have {}").
			Int(int(size)).Int(SectionHeaderSize).String())
	}
	if err := t.fits(data, max(t.count, 1)); err != nil {
		return t, err
	}
	if err := t.extend(data, big); err != nil {
		return t, err
	}
	if t.names >= t.count {
		return t, malformed(where, 0, text.Form("section names are in section {}, but there are only {} sections").
			Uint(t.names).Uint(t.count).String())
	}
	return t, nil
}

// extend takes from section header 0 the count and the index that do not fit in the file header (gABI, "ELF Header": e_shnum
// and e_shstrndx).
func (t *table) extend(data []byte, big bigEndian) error {
	const where = "section header 0"
	first := t.header(data, 0)
	if kind := big.uint32(first[4:]); kind != SHT_NULL {
		return malformed(where, t.offset, text.Form("its type is {}; that of the first one is always SHT_NULL").Uint(uint64(kind)).String())
	}
	if t.count == 0 {
		t.count = big.uint64(first[32:])
		if t.count < shnLoReserve {
			return malformed(where, t.offset, text.Form("it counts {} sections; so few are counted in the file header").Uint(t.count).String())
		}
		if err := t.fits(data, t.count); err != nil {
			return err
		}
		if t.count > MaxSections {
			return malformed(where, t.offset, text.Form("it counts {} sections; at most {} are allowed").
				Uint(t.count).Int(MaxSections).String())
		}
	}
	if t.names == shnXIndex {
		t.names = uint64(big.uint32(first[40:]))
	} else if t.names >= shnLoReserve {
		return malformed("file header", 0, text.Form("section names are in section {}, which is a reserved index").Uint(t.names).String())
	}
	return nil
}

// fits tells whether so many section headers lie within the file.
func (t *table) fits(data []byte, count uint64) error {
	size := uint64(len(data))
	if t.offset > size || count > (size-t.offset)/SectionHeaderSize {
		return truncated("section table", t.offset,
			text.Form("{} headers of {} bytes do not fit in a file of {} bytes").Uint(count).Int(SectionHeaderSize).Uint(size).String())
	}
	return nil
}

// at returns where in the file section header i is.
func (t *table) at(i int) uint64 { return t.offset + uint64(i)*SectionHeaderSize }

// header returns the bytes of section header i.
func (t *table) header(data []byte, i int) []byte { return data[t.at(i):][:SectionHeaderSize] }

// readSections fills in all sections but their names.
func (f *File) readSections(data []byte, t table) error {
	f.Sections = make([]Section, t.count)
	room := uint64(len(data))
	for i := range f.Sections {
		s := &f.Sections[i]
		s.read(i, t.header(data, i), f.big)
		if s.Type == SHT_NULL || s.Type == SHT_NOBITS {
			continue
		}
		end := s.Offset + s.Size
		if end < s.Offset {
			return malformed(numbered("section header", i), t.at(i), text.Form("offset {} and size {} do not add up").
				Uint(s.Offset).Uint(s.Size).String())
		}
		if end > uint64(len(data)) {
			return truncated(numbered("section header", i), t.at(i), text.Form("the section ends at byte {}, the file at {}").
				Uint(end).Int(len(data)).String())
		}
		if s.Size > room {
			return malformed(numbered("section header", i), t.at(i), "sections overlap: up to this one they hold more than the file")
		}
		room -= s.Size
		s.Data = data[s.Offset:end:end]
	}
	return nil
}

// read reads what the header of section i says of itself.
func (s *Section) read(i int, header []byte, big bigEndian) {
	s.Index = i
	s.Type, s.Flags = big.uint32(header[4:]), big.uint64(header[8:])
	s.Addr, s.Offset, s.Size = big.uint64(header[16:]), big.uint64(header[24:]), big.uint64(header[32:])
	s.Link, s.Info = big.uint32(header[40:]), big.uint32(header[44:])
	s.AddrAlign, s.EntSize = big.uint64(header[48:]), big.uint64(header[56:])
}

// readNames names the sections, if the file does.
func (f *File) readNames(data []byte, t table) error {
	if t.names == 0 {
		return nil
	}
	names, err := readStrings(&f.Sections[t.names])
	if err != nil {
		return err
	}
	for i := range f.Sections {
		offset := f.big.uint32(t.header(data, i))
		if !hasString(names, offset) {
			return malformed(numbered("section header", i), t.at(i), noString(offset, t.names))
		}
		f.Sections[i].Name = stringAt(names, offset)
	}
	return nil
}
