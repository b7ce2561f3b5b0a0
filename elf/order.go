package elf

import (
	"encoding/binary"
)

// bigEndian is the byte order of a file. Unlike a binary.ByteOrder its reads are inlined.
type bigEndian bool

func (big bigEndian) order() binary.ByteOrder {
	if big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

//go:noinline
func (big bigEndian) uint16(b []byte) uint16 {
	if big {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

//go:noinline
func (big bigEndian) uint32(b []byte) uint32 {
	if big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

//go:noinline
func (big bigEndian) uint64(b []byte) uint64 {
	if big {
		return binary.BigEndian.Uint64(b)
	}
	return binary.LittleEndian.Uint64(b)
}
