package btf

import (
	"encoding/binary"

	"github.com/pinion-bpf/pinion/internal/text"
)

const (
	magic        = 0xEB9F
	version      = 1
	headerLength = 24 // struct btf_header up to str_len; that of the newest kernels has layout_off and layout_len too
	layoutLength = 32
	maxLength    = 1<<31 - 1 // so that every offset fits an int on 32-bit machines
)

// Parse checks a BTF blob, in either byte order, and returns a Data that reads it in place. Bytes after the sections that the header tells
// of are ignored, and so are header fields that this package does not know.
//
// The blob is kept, not copied: do not change it, and if it is a mapping leave it mapped, for as long as the Data, a Type or a name taken from them
// is in use ([strings.Clone] a name that must live longer).
//
// The error is an [*Error] that wraps [ErrFormat]. Refused are: a wrong magic, version or flags; sections outside the blob or one in another;
// a kind above ENUM64, whatever the blob's layout section says of it; a type cut short; a string offset outside the strings; a reference to
// an id that no type has; a FUNC that is not of a FUNC_PROTO; a DATASEC entry that is neither a VAR nor a FUNC; an INT whose bits do not fit
// its size; an ENUM or ENUM64 that is not 1, 2, 4 or 8 bytes long. Not checked, because a reader can live with it: that names are C identifiers,
// that members lie within their struct, and that no type contains itself. [Data.Resolve], [Data.SizeOf] and [Diff] are bounded against the last.
func Parse(raw []byte) (*Data, error) {
	return parse(&Data{raw: raw, ptrSize: 8}, 1)
}

// ParseSplit is Parse of split BTF, as kernel modules have it: its ids and its strings go on where those of base end, and its types refer to both.
// The base must be whole BTF itself, in the same byte order, and is kept too.
func ParseSplit(raw []byte, base *Data) (*Data, error) {
	if base.base != nil || uint64(base.Len())+uint64(len(raw)) > maxLength || uint64(base.strLen)+uint64(len(raw)) > maxLength {
		return nil, badHeader(false, 0, "the BTF that it is to go on from is split itself, or too large")
	}
	first := uint32(base.Len())
	return parse(&Data{raw: raw, base: base, first: first, ptrSize: base.ptrSize}, first)
}

// parse checks the blob of d, whose first type has that id.
func parse(d *Data, first uint32) (*Data, error) {
	types, err := d.readHeader()
	if err != nil {
		return nil, err
	}
	if d.base != nil && d.big != d.base.big {
		return nil, badHeader(false, 0, "its byte order is not that of the BTF that it goes on from")
	}
	count, err := d.walk(types, first, nil)
	if err != nil {
		return nil, err
	}
	d.index = make([]uint32, count-d.first)
	if _, err := d.walk(types, first, d.index); err != nil {
		return nil, err
	}
	for id := first; id < count; id++ {
		if err := d.checkType(d.Type(ID(id))); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// span is a part of the blob.
type span struct{ start, end uint32 }

// readHeader reads the header, sets the byte order and the string section, and returns where the types lie.
func (d *Data) readHeader() (span, error) {
	big, hdrLen, err := readPrefix(d.raw, headerLength, false)
	if err != nil {
		return span{}, err
	}
	d.big = big
	types, err := d.section(hdrLen, 8, "types")
	if err != nil {
		return span{}, err
	}
	strs, err := d.section(hdrLen, 16, "strings")
	if err != nil {
		return span{}, err
	}
	if hdrLen >= layoutLength {
		// The layout section would let unknown kinds be skipped. Types of a kind that cannot be checked are refused instead.
		if _, err := d.section(hdrLen, headerLength, "layout"); err != nil {
			return span{}, err
		}
	}
	if types.start < strs.end && strs.start < types.end {
		return span{}, d.fail(ErrFormat, 0, strs.start, "the string section lies in the type section")
	}
	switch split := d.base != nil; {
	case split && strs.start == strs.end:
	case strs.start == strs.end, d.raw[strs.start] != 0 && !split, d.raw[strs.end-1] != 0:
		return span{}, d.fail(ErrFormat, 0, strs.start, "the string section does not begin and end with a zero byte")
	}
	d.strOff, d.strLen = strs.start, strs.end-strs.start
	return types, nil
}

// section reads an offset and a length from the header, at the byte field, and returns the part of the blob they mean.
func (d *Data) section(hdrLen, field uint32, name string) (span, error) {
	start := uint64(hdrLen) + uint64(d.u32(field))
	end := start + uint64(d.u32(field+4))
	if end > uint64(len(d.raw)) {
		return span{}, d.fail(ErrFormat, 0, field, text.Form("section of {} ends beyond the blob, which has {} bytes").
			Add(name).Int(len(d.raw)).String())
	}
	if start%4 != 0 && name != "strings" {
		return span{}, d.fail(ErrFormat, 0, field, "section of "+name+" does not begin at a multiple of 4")
	}
	return span{uint32(start), uint32(end)}, nil
}

//go:noinline
func badHeader(ext bool, off uint32, reason string) error {
	return &Error{Err: ErrFormat, Ext: ext, Offset: off, Reason: reason}
}

// readPrefix reads what the headers of .BTF and .BTF.ext have in common. Offsets in the header count from its end, which is hdrLen.
func readPrefix(raw []byte, atLeast uint32, ext bool) (big bool, hdrLen uint32, err error) {
	refuse := func(off uint32, reason string) (bool, uint32, error) { return false, 0, badHeader(ext, off, reason) }
	if uint64(len(raw)) > maxLength {
		return refuse(0, "2 GiB or more")
	}
	if uint64(len(raw)) < uint64(atLeast) {
		return refuse(0, text.Form("the header is cut short: {} bytes, not {}").Int(len(raw)).Uint(uint64(atLeast)).String())
	}
	hdrLen = binary.LittleEndian.Uint32(raw[4:])
	switch {
	case binary.LittleEndian.Uint16(raw) == magic:
	case binary.BigEndian.Uint16(raw) == magic:
		big, hdrLen = true, binary.BigEndian.Uint32(raw[4:])
	default:
		return refuse(0, "the magic number is missing")
	}
	switch {
	case raw[2] != version:
		return refuse(2, text.Form("version {}, not 1").Uint(uint64(raw[2])).String())
	case raw[3] != 0:
		return refuse(3, text.Form("flags {} are set, and none is known").Uint(uint64(raw[3])).String())
	case hdrLen < atLeast || hdrLen%4 != 0 || uint64(hdrLen) > uint64(len(raw)):
		return refuse(4, text.Form("a header of {} bytes in a blob of {}").Uint(uint64(hdrLen)).Int(len(raw)).String())
	}
	return big, hdrLen, nil
}

// walk steps from type to type, checks that each has a known kind and its whole length, and returns the id after the last one, if that of the
// first is count. It notes where each begins in index, if there is one.
func (d *Data) walk(types span, count uint32, index []uint32) (uint32, error) {
	for off := types.start; off < types.end; count++ {
		left := uint64(types.end - off)
		if left < commonLength {
			return 0, d.fail(ErrFormat, ID(count), off, "cut short by the end of the type section")
		}
		t := Type{data: d, off: off}
		kind := t.Kind()
		if kind == KindVoid || kind > kindLast {
			return 0, d.fail(ErrFormat, ID(count), off, kind.String()+" where a type of kind 1 to 19 should be")
		}
		once, each := kind.tail()
		length := commonLength + once + each*uint64(t.Vlen())
		if length > left {
			return 0, d.fail(ErrFormat, ID(count), off, text.Form("{} of {} bytes ends beyond the type section").
				Add(kind.String()).Uint(uint64(length)).String())
		}
		if index != nil {
			index[count-d.first] = off
		}
		off += uint32(length)
	}
	return count, nil
}
