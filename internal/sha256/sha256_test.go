package sha256_test

import (
	"bytes"
	std "crypto/sha256"
	"testing"
	"testing/quick"

	"github.com/pinion-bpf/pinion/internal/sha256"
)

// TestLengths compares with the standard library around every block boundary, where padding goes wrong.
func TestLengths(t *testing.T) {
	data := bytes.Repeat([]byte("pinion"), 60)
	for n := range data {
		if got, want := sha256.Sum(data[:n]), std.Sum256(data[:n]); got != want {
			t.Fatalf("%d bytes: %x, want %x", n, got, want)
		}
	}
}

// TestPieces writes in pieces and asks for the digest in between: neither may change the result.
func TestPieces(t *testing.T) {
	same := func(pieces [][]byte) bool {
		h, all := sha256.New(), []byte(nil)
		for _, piece := range pieces {
			h.Write(piece)
			all = append(all, piece...)
			if h.Sum() != std.Sum256(all) {
				return false
			}
		}
		return h.Sum() == std.Sum256(all)
	}
	if err := quick.Check(same, nil); err != nil {
		t.Error(err)
	}
}

func TestNoAllocation(t *testing.T) {
	data := make([]byte, 1000)
	if n := testing.AllocsPerRun(10, func() { sha256.Sum(data) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzSum(f *testing.F) {
	f.Add([]byte("abc"), 1)
	f.Fuzz(func(t *testing.T, data []byte, cut int) {
		n := max(0, min(cut, len(data)))
		h := sha256.New()
		h.Write(data[:n])
		h.Write(data[n:])
		if got, want := h.Sum(), std.Sum256(data); got != want {
			t.Errorf("%x, want %x", got, want)
		}
	})
}

func BenchmarkSum(b *testing.B) {
	data := make([]byte, 74<<10)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		sha256.Sum(data)
	}
}
