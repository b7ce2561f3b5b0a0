package object

import (
	"encoding/binary"
	"unsafe"
)

// bigEndian is the byte order of an object. Unlike a binary.ByteOrder its reads are inlined.
type bigEndian bool

func isBig(order binary.ByteOrder) bigEndian { return order == binary.ByteOrder(binary.BigEndian) }

// nativeBig tells the byte order of this machine.
func nativeBig() bigEndian { return binary.NativeEndian.Uint16([]byte{0, 1}) == 1 }

//go:noinline
func (big bigEndian) uint32(b []byte) uint32 {
	if big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

//go:noinline
func (big bigEndian) putUint32(b []byte, v uint32) {
	if big {
		binary.BigEndian.PutUint32(b, v)
		return
	}
	binary.LittleEndian.PutUint32(b, v)
}

// checkByteOrder refuses an object of the other byte order, of which nothing can be loaded here.
func (s *Spec) checkByteOrder() error {
	if s.source.big == nativeBig() {
		return nil
	}
	order := "little-endian (bpfel)"
	if s.source.big {
		order = "big-endian (bpfeb)"
	}
	return unsupported("the object is for " + order + " machines, which this one is not")
}

// view returns bytes of the file as a string. They never change: [Parse] asks that of its caller.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
