package elf

import "github.com/pinion-bpf/pinion/internal/text"

// Parse reads an ELF file. It keeps data, and gives out strings and slices that are views of it: data must not be modified
// while the File, or anything from it, is in use.
//
// Every error is an [Error], and is [ErrFormat]. It is also [ErrTruncated] if data ends before what its headers promise, and
// [ErrClass] if it is a 32-bit file. Besides what is out of bounds, Parse refuses what the gABI forbids and a loader could
// misread: two symbol tables, overlapping sections, and in a relocatable file a SHT_REL section that does not refer to the
// symbol table and to a section. The machine and the file's type are the caller's to check.
func Parse(data []byte) (*File, error) {
	big, err := readIdent(data)
	if err != nil {
		return nil, err
	}
	f := &File{
		Order:   big.order(),
		Type:    big.uint16(data[16:]),
		Machine: big.uint16(data[18:]),
		Flags:   big.uint32(data[48:]),
		big:     big,
	}
	if err := f.read(data); err != nil {
		return nil, err
	}
	return f, nil
}

// read fills in and checks everything that the file header leads to.
func (f *File) read(data []byte) error {
	t, err := findTable(data, f.big)
	if err != nil || t.count == 0 {
		return err
	}
	if err := f.readSections(data, t); err != nil {
		return err
	}
	if err := f.readNames(data, t); err != nil {
		return err
	}
	if err := f.readSymbols(); err != nil {
		return err
	}
	return f.checkRelocations()
}

// readIdent checks what does not depend on the byte order, and returns that. The class comes before the length, since a whole
// 32-bit file may be shorter than a 64-bit header.
func readIdent(data []byte) (big bigEndian, err error) {
	const where, magic = "file header", "\x7fELF"
	if n := min(len(data), len(magic)); string(data[:n]) != magic[:n] {
		return false, malformed(where, 0, "no ELF magic; this is not an ELF file")
	}
	if len(data) > 4 {
		switch data[4] {
		case 2:
		case 1:
			return false, &Error{Err: ErrClass, Where: where, What: "it is a 32-bit file; build it for a 64-bit target, such as bpf"}
		default:
			return false, malformed(where, 0, text.Form("class {} is unknown; 2 means 64-bit").Int(int(data[4])).String())
		}
	}
	if len(data) < HeaderSize {
		return false, truncated(where, 0, text.Form("it takes {} bytes, and there are only {}").Int(HeaderSize).Int(len(data)).String())
	}
	if data[5] != 1 && data[5] != 2 {
		return false, malformed(where, 0, text.Form("byte order {} is unknown; 1 means little-endian, 2 big-endian").
			Int(int(data[5])).String())
	}
	big = data[5] == 2
	if version := big.uint32(data[20:]); data[6] != 1 || version != 1 {
		return false, malformed(where, 0, text.Form("version {}/{} is unknown; the only one is 1").
			Int(int(data[6])).Uint(uint64(version)).String())
	}
	return big, nil
}
