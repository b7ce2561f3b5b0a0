package btf

import (
	"bytes"
	"encoding/binary"
	"unsafe"
)

// Data is one checked BTF blob. Its reading methods may be used by several goroutines at once; its editing methods may not. The
// zero Data has no type but void and no string but the empty one.
type Data struct {
	raw      []byte
	base     *Data    // of split BTF, what its ids and strings go on from; nil else
	first    uint32   // the id of index[0]: 0, or in split BTF base.Len()
	index    []uint32 // of each type, where in raw it begins; if first is 0, index[0] stands for void and is 0
	strOff   uint32   // where in raw the string section begins
	strLen   uint32
	ptrSize  uint8
	big      bool
	editable bool
}

// Order returns the byte order that the blob is written in.
func (d *Data) Order() binary.ByteOrder {
	if d.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// Len returns the number of types, void and those of the base included: ids are 0 to Len()-1.
func (d *Data) Len() int { return max(int(d.first)+len(d.index), 1) }

// Raw returns the whole blob, as the kernel's BPF_BTF_LOAD takes it when it is in the machine's byte order. It is not a copy and must
// not be changed.
func (d *Data) Raw() []byte { return d.raw }

// Type returns the type that has the id. For an id that no type has, it is void.
//
//go:noinline
func (d *Data) Type(id ID) Type {
	if uint32(id) < d.first {
		d = d.base
	}
	i := uint64(uint32(id) - d.first)
	if id == 0 || i >= uint64(len(d.index)) {
		return Type{}
	}
	return Type{data: d, id: id, off: d.index[i]}
}

// String returns the string that begins off bytes into the string section; "" if off lies outside it. The string is a view of the
// blob: see [Parse].
func (d *Data) String(off uint32) string {
	s := d.tailOf(off)
	n := bytes.IndexByte(s, 0)
	if n <= 0 {
		return ""
	}
	// The bytes stay as they are for as long as the blob does: Parse asks that of its caller, and no edit touches a string.
	return unsafe.String(&s[0], n)
}

// tailOf returns the string section from off on.
func (d *Data) tailOf(off uint32) []byte {
	if d.base != nil {
		if off < d.base.strLen {
			d = d.base
		} else {
			off -= d.base.strLen
		}
	}
	if off >= d.strLen {
		return nil
	}
	end := d.strOff + d.strLen
	return d.raw[d.strOff+off : end : end]
}

// isString tells whether the string at off is s. Unlike a comparison with [Data.String] it reads no more than len(s)+1 bytes, so
// that a search stays linear however long the blob's strings are.
func (d *Data) isString(off uint32, s string) bool {
	t := d.tailOf(off)
	return len(t) > len(s) && t[len(s)] == 0 && string(t[:len(s)]) == s
}

// Find returns the first type of that kind and name, of split BTF the first of its own. It reads the types one after the other and allocates
// nothing.
func (d *Data) Find(kind Kind, name string) (Type, bool) {
	for i, off := range d.index {
		t := Type{data: d, id: ID(d.first) + ID(i), off: off}
		if t.id > 0 && t.Kind() == kind && d.isString(t.word(0), name) {
			return t, true
		}
	}
	return Type{}, false
}

// Copy returns a copy that shares no blob with d and can be edited.
func (d *Data) Copy() *Data {
	c := *d
	c.raw = bytes.Clone(d.raw)
	c.editable = true
	return &c // the index is shared: no edit moves a type
}

// u32 reads a word; Parse has proved that off lies in the blob.
//
//go:noinline
func (d *Data) u32(off uint32) uint32 { return order32(d.raw[off:], d.big) }

// order32 reads a word in a byte order that only the blob knows. (binary.ByteOrder would make every read a call.)
func order32(b []byte, big bool) uint32 {
	if big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

// fail returns an error about a type, or about the blob if id is 0.
//
//go:noinline
func (d *Data) fail(sentinel error, id ID, off uint32, reason string) error {
	return &Error{Err: sentinel, Offset: off, ID: id, Reason: reason}
}
