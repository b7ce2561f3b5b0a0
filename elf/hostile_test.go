package elf_test

import (
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/pinion-bpf/pinion/elf"
)

// walk reads everything that a File gives, and checks what Parse promises of it.
func walk(t testing.TB, data []byte, f *elf.File) {
	t.Helper()
	held := 0
	for i, s := range f.Sections {
		held += len(s.Data)
		if s.Index != i || strings.IndexByte(s.Name, 0) >= 0 || len(s.Name) > elf.MaxName {
			t.Errorf("section %d: %+v", i, s)
		}
		if empty := s.Type == elf.SHT_NULL || s.Type == elf.SHT_NOBITS; empty != (s.Data == nil) || !empty && uint64(len(s.Data)) != s.Size {
			t.Errorf("section %d has %d bytes of data: %+v", i, len(s.Data), s)
		}
		for r := range f.Relocations(&s) {
			if _, err := f.Symbol(r.Symbol); err != nil {
				t.Errorf("section %d: %+v: %v", i, r, err)
			}
			if f.Type == elf.ET_REL && r.Offset >= f.Sections[s.Info].Size {
				t.Errorf("section %d: %+v", i, r)
			}
		}
	}
	if held > len(data) {
		t.Errorf("sections hold %d bytes, the file %d", held, len(data))
	}
	for i, s := range f.Symbols() {
		if s.Section < elf.SectionReserved || s.Section >= len(f.Sections) || strings.IndexByte(s.Name, 0) >= 0 || len(s.Name) > elf.MaxName {
			t.Errorf("symbol %d: %+v", i, s)
		}
	}
}

// check parses bytes of any kind. It returns the error.
func check(t testing.TB, data []byte) error {
	t.Helper()
	f, err := elf.Parse(data)
	if err == nil {
		walk(t, data, f)
		return nil
	}
	if e, ok := errors.AsType[*elf.Error](err); !ok || !errors.Is(err, elf.ErrFormat) || e.Where == "" || e.What == "" || f != nil {
		t.Errorf("got %v, %#v", f, err)
	}
	return err
}

// TestTruncated cuts a file at every length: its last part is the section table or the last section, so no prefix is whole.
func TestTruncated(t *testing.T) {
	for _, order := range orders {
		for _, tableFirst := range []bool{false, true} {
			m := sample(order)
			m.tableFirst = tableFirst
			data := m.bytes()
			for n := range data {
				// A copy, so that reading past its end is seen.
				if err := check(t, append([]byte(nil), data[:n]...)); !errors.Is(err, elf.ErrTruncated) {
					t.Errorf("%v, %d of %d bytes: %v", order, n, len(data), err)
				}
			}
		}
	}
}

// TestCorrupted gives every byte every other value.
func TestCorrupted(t *testing.T) {
	for _, order := range orders {
		data := sample(order).bytes()
		refused := 0
		for i, was := range data {
			for v := range 256 {
				data[i] = byte(v)
				if check(t, data) != nil {
					refused++
				}
			}
			data[i] = was
		}
		if refused == 0 {
			t.Error("nothing was refused")
		}
		if err := check(t, data); err != nil {
			t.Error(err)
		}
	}
}

func TestAllocations(t *testing.T) {
	for _, order := range orders {
		data := sample(order).bytes()
		var f *elf.File
		if n := testing.AllocsPerRun(100, func() { f, _ = elf.Parse(data) }); n > 2 {
			t.Errorf("Parse allocates %v times, want the File and its sections", n)
		}
		s := f.Section(".relxdp")
		total := 0
		if n := testing.AllocsPerRun(100, func() {
			for _, s := range f.Symbols() {
				total += len(s.Name)
			}
			for r := range f.Relocations(s) {
				total += r.Symbol
			}
		}); n > 0 {
			t.Errorf("iterating allocates %v times", n)
		}
		if total == 0 {
			t.Error("nothing to iterate over")
		}
	}
}

// TestMemory holds Parse to the bound that the package comment states, on files that are all section table.
func TestMemory(t *testing.T) {
	for _, sections := range []int{1, 2, 100, 0xfe00} {
		m := newImage(binary.LittleEndian)
		for len(m.parts) < sections {
			m.add(part{typ: elf.SHT_NULL})
		}
		data := m.bytes()
		if got, most := allocated(data), uint64(2*len(data)+256); got > most {
			t.Errorf("%d sections: Parse of %d bytes allocates %d, want at most %d", sections, len(data), got, most)
		}
	}
}

// allocated returns how many bytes Parse allocates. Of several runs it takes the least, so that the runtime's own do not count.
func allocated(data []byte) uint64 {
	least := ^uint64(0)
	for range 10 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f, err := elf.Parse(data)
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(f)
		if err != nil {
			panic(err)
		}
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

// TestTooManySections is a file of nothing but section headers, one more than allowed.
func TestTooManySections(t *testing.T) {
	m := newImage(binary.LittleEndian)
	m.extended = true
	m.bytes()
	for _, count := range []uint64{elf.MaxSections, elf.MaxSections + 1} {
		data := make([]byte, elf.HeaderSize+count*elf.SectionHeaderSize)
		copy(data, m.file[:elf.HeaderSize])
		m.order.PutUint64(data[40:], elf.HeaderSize)
		m.order.PutUint16(data[62:], 0)
		m.order.PutUint64(data[elf.HeaderSize+32:], count)
		_, err := elf.Parse(data)
		if count > elf.MaxSections {
			wantError(t, err, elf.ErrFormat, "section header 0", "at most 262144 are allowed")
		} else if err != nil {
			t.Errorf("%d sections: %v", count, err)
		}
	}
}
