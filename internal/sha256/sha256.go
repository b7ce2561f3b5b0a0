// Package sha256 computes SHA-256 (FIPS 180-4), which names an object by its bytes.
//
// It exists for its size: crypto/sha256 brings its self-tests and its choice of implementations, some hundred kilobytes, into
// every agent. It is neither fast nor meant to keep secrets: use crypto/sha256 wherever that matters.
package sha256

import (
	"encoding/binary"
	"math/bits"
)

const (
	// Size is the length of a digest in bytes.
	Size = 32
	// BlockSize is the length in bytes of what is worked on at a time.
	BlockSize = 64
)

// A Hash takes bytes and gives their digest. Make one with [New]. It must not be used by several goroutines at once.
type Hash struct {
	state  [8]uint32
	block  [BlockSize]byte // the last bytes written, fill of them
	fill   int
	length uint64 // bytes written
}

// New returns a Hash of no bytes.
func New() Hash { return Hash{state: initial} }

// Sum returns the digest of data.
func Sum(data []byte) [Size]byte {
	h := New()
	h.Write(data)
	return h.Sum()
}

// Write adds data to what the digest is of.
func (h *Hash) Write(data []byte) {
	h.length += uint64(len(data))
	if h.fill > 0 {
		n := copy(h.block[h.fill:], data)
		data = data[n:]
		h.fill += n
		if h.fill < BlockSize {
			return
		}
		h.compress(h.block[:])
		h.fill = 0
	}
	for len(data) >= BlockSize {
		h.compress(data[:BlockSize])
		data = data[BlockSize:]
	}
	h.fill = copy(h.block[:], data)
}

// Sum returns the digest of all that was written. More may be written afterwards.
func (h *Hash) Sum() [Size]byte {
	end := *h
	var padding [BlockSize + 8]byte
	padding[0] = 0x80
	// One bit, then zeros up to 8 bytes before the end of a block, then the length in bits.
	n := (2*BlockSize-9-h.fill)%BlockSize + 1
	binary.BigEndian.PutUint64(padding[n:], h.length*8)
	end.Write(padding[:n+8])
	var digest [Size]byte
	for i, word := range end.state {
		binary.BigEndian.PutUint32(digest[4*i:], word)
	}
	return digest
}

// compress works one block into the state (FIPS 180-4, 6.2.2).
func (h *Hash) compress(block []byte) {
	var w [64]uint32
	for i := range 16 {
		w[i] = binary.BigEndian.Uint32(block[4*i:])
	}
	for i := 16; i < len(w); i++ {
		x, y := w[i-15], w[i-2]
		s0 := rotate(x, 7) ^ rotate(x, 18) ^ x>>3
		s1 := rotate(y, 17) ^ rotate(y, 19) ^ y>>10
		w[i] = w[i-16] + s0 + w[i-7] + s1
	}
	// Eight variables stay in registers; an array would not.
	a, b, c, d, e, f, g, last := h.state[0], h.state[1], h.state[2], h.state[3], h.state[4], h.state[5], h.state[6], h.state[7]
	for i, word := range w {
		t1 := last + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (e&f ^ ^e&g) + rounds[i] + word
		t2 := (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + (a&b ^ a&c ^ b&c)
		a, b, c, d, e, f, g, last = t1+t2, a, b, c, d+t1, e, f, g
	}
	for i, word := range [8]uint32{a, b, c, d, e, f, g, last} {
		h.state[i] += word
	}
}

func rotate(x uint32, n int) uint32 { return bits.RotateLeft32(x, -n) }
