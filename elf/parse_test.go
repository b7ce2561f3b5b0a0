package elf_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pinion-bpf/pinion/elf"
)

func mustParse(t testing.TB, data []byte) *elf.File {
	t.Helper()
	f, err := elf.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// wantError checks that err is a located error of that kind, about that part, saying that.
func wantError(t *testing.T, err, kind error, where, what string) {
	t.Helper()
	e, ok := errors.AsType[*elf.Error](err)
	if !ok {
		t.Fatalf("got %v, want an *elf.Error about %s: %s", err, where, what)
	}
	if e.Where != where || !strings.Contains(e.What, what) {
		t.Errorf("got %v, want one about %s: %s", err, where, what)
	}
	if !errors.Is(err, elf.ErrFormat) {
		t.Errorf("%v is not ErrFormat", err)
	}
	for _, other := range []error{elf.ErrTruncated, elf.ErrClass} {
		if errors.Is(err, other) != (other == kind) {
			t.Errorf("errors.Is(%v, %v) = %v", err, other, other != kind)
		}
	}
}

func TestParse(t *testing.T) {
	for _, order := range orders {
		for _, tableFirst := range []bool{false, true} {
			m := sample(order)
			m.tableFirst = tableFirst
			data := m.bytes()
			f := mustParse(t, data)
			if f.Order != order || f.Type != elf.ET_REL || f.Machine != elf.EM_BPF || f.Flags != 0xabcd {
				t.Errorf("header: %v, type %d, machine %d, flags %#x", f.Order, f.Type, f.Machine, f.Flags)
			}
			want := []elf.Section{{}}
			for i, p := range m.parts {
				s := elf.Section{
					Index: i + 1, Name: p.name, Type: p.typ, Flags: p.flags, Offset: uint64(m.offsets[i+1]),
					Size: uint64(len(p.data)), AddrAlign: 1, EntSize: p.entSize, Link: p.link, Info: p.info, Data: p.data,
				}
				if p.typ == elf.SHT_NOBITS {
					s.Size = p.size
				}
				want = append(want, s)
			}
			if diff := cmp.Diff(want, f.Sections); diff != "" {
				t.Errorf("sections (-want +got):\n%s", diff)
			}
			// Zero copy: what is in data is what the section shows, and no append reaches the next section.
			s := f.Section(".maps")
			if &s.Data[0] != &data[s.Offset] || cap(s.Data) != len(s.Data) {
				t.Error("section data is not a capped view of the file")
			}
		}
	}
}

func TestSection(t *testing.T) {
	m := newImage(binary.LittleEndian)
	m.add(part{name: "xdp", typ: elf.SHT_PROGBITS, data: []byte("first")})
	m.add(part{name: "xdp", typ: elf.SHT_PROGBITS, data: []byte("second")})
	f := mustParse(t, m.bytes())
	if s := f.Section("xdp"); s != &f.Sections[2] {
		t.Errorf("Section(xdp) = %v, want the first of two", s)
	}
	if s := f.Section("xd"); s != nil {
		t.Errorf("Section(xd) = %v, want nil", s)
	}
}

func TestWithoutSections(t *testing.T) {
	m := newImage(binary.BigEndian)
	m.bytes()
	m.put64(40, 0)
	m.put16(60, 0)
	f := mustParse(t, m.file[:elf.HeaderSize])
	if f.Sections != nil || f.SymbolCount() != 0 || f.Section("") != nil {
		t.Errorf("sections %v, %d symbols", f.Sections, f.SymbolCount())
	}
	for i, s := range f.Symbols() {
		t.Errorf("symbol %d: %v", i, s)
	}
	_, err := f.Symbol(0)
	wantError(t, err, elf.ErrFormat, "symbol 0 of .symtab", "there are 0 symbols")
}

func TestWithoutNames(t *testing.T) {
	m := sample(binary.LittleEndian)
	m.bytes()
	m.put16(62, 0)
	for _, s := range mustParse(t, m.file).Sections {
		if s.Name != "" {
			t.Errorf("section %d is named %q", s.Index, s.Name)
		}
	}
}

// TestExtended has more sections than the file header can count, names in the last one, and a symbol in the one before.
func TestExtended(t *testing.T) {
	for _, order := range orders {
		m := newImage(order)
		for len(m.parts) < 0xff20 {
			m.add(part{typ: elf.SHT_PROGBITS})
		}
		code := m.add(part{name: "far", typ: elf.SHT_PROGBITS, data: []byte("code")})
		table := m.add(part{name: ".symtab", typ: elf.SHT_SYMTAB, link: strtab, entSize: 24, data: slices.Concat(
			m.symbol("", 0, 0, 0, 0, 0),
			m.symbol("near", 0, 0, 2, 0, 0),
			m.symbol("far", 0, 0, 0xffff, 0, 0),
		)})
		indices := slices.Concat(make([]byte, 8), order.AppendUint32(nil, uint32(code)))
		m.add(part{name: ".symtab_shndx", typ: elf.SHT_SYMTAB_SHNDX, link: uint32(table), entSize: 4, data: indices})
		m.extended = true
		names := m.add(part{typ: elf.SHT_STRTAB, data: []byte("\x00shared\x00")})
		m.bytes()
		m.put32(m.table+40, uint32(names))
		for i := range m.parts {
			m.put32(m.header(i+1), 0)
		}
		m.put32(m.header(code), 1)

		f := mustParse(t, m.file)
		if len(f.Sections) != names+1 || f.Sections[code].Name != "shared" {
			t.Errorf("%d sections, number %d named %q", len(f.Sections), code, f.Sections[code].Name)
		}
		got := map[string]int{}
		for _, s := range f.Symbols() {
			got[s.Name] = s.Section
		}
		if diff := cmp.Diff(map[string]int{"": 0, "near": 2, "far": code}, got); diff != "" {
			t.Errorf("sections of symbols (-want +got):\n%s", diff)
		}
		m.put32(m.offsets[table+1]+8, uint32(names+1))
		_, err := elf.Parse(m.file)
		wantError(t, err, elf.ErrFormat, "symbol 2 of .symtab", "there are only")
		m.put32(m.offsets[table+1]+8, 0)
		_, err = elf.Parse(m.file)
		wantError(t, err, elf.ErrFormat, "symbol 2 of .symtab", "there it is 0")
	}
}

// TestNames covers where a name may end: at the table's last NUL, and nowhere later.
func TestNames(t *testing.T) {
	m := newImage(binary.LittleEndian)
	m.add(part{typ: elf.SHT_STRTAB, data: []byte("\x00ab\x00cut")})
	long := strings.Repeat("x", elf.MaxName)
	m.add(part{typ: elf.SHT_STRTAB, data: []byte(long + "\x00")})
	m.add(part{typ: elf.SHT_STRTAB, data: []byte(long + "x\x00")})
	m.add(part{typ: elf.SHT_STRTAB})
	m.add(part{typ: elf.SHT_STRTAB, data: []byte("abc")})
	m.bytes()
	for _, c := range []struct {
		table       uint16
		name        uint32
		want, where string
	}{
		{table: 2, name: 0, want: ""},
		{table: 2, name: 1, want: "ab"},
		{table: 2, name: 2, want: "b"},
		{table: 2, name: 3, want: ""},
		{table: 2, name: 4, where: "section header 1"},
		{table: 2, name: 6, where: "section header 1"},
		{table: 2, name: 7, where: "section header 1"},
		{table: 2, name: 1<<32 - 1, where: "section header 1"},
		{table: 3, name: 0, want: long},
		{table: 3, name: elf.MaxName, want: ""},
		{table: 3, name: elf.MaxName + 1, where: "section header 1"},
		{table: 4, name: 0, where: "section 4"},
		{table: 5, name: 0, want: ""},
		{table: 5, name: 1, where: "section header 1"},
		{table: 6, name: 0, where: "section 6"},
	} {
		m.put16(62, c.table)
		for i := range m.parts {
			m.put32(m.header(i+1), 0)
		}
		m.put32(m.header(1), c.name)
		f, err := elf.Parse(m.file)
		if c.where != "" {
			wantError(t, err, elf.ErrFormat, c.where, "")
			continue
		}
		if err != nil || f.Sections[1].Name != c.want {
			t.Errorf("table %d, offset %d: %v, %v", c.table, c.name, f, err)
		}
	}
}

func TestError(t *testing.T) {
	err := &elf.Error{Err: elf.ErrTruncated, Where: "section header 3", Offset: 704, What: "the section ends at byte 9, the file at 8"}
	want := "elf: truncated: section header 3 at byte 704: the section ends at byte 9, the file at 8"
	if got := err.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (&elf.Error{}).Error(); !strings.HasPrefix(got, elf.ErrFormat.Error()) {
		t.Errorf("zero Error: %q", got)
	}
	// A hostile name does not spoil the message.
	m := sample(binary.LittleEndian)
	m.parts[relText-1].name = "\n\x1b[2J" + strings.Repeat("y", 1000)
	m.parts[relText-1].entSize = 15
	_, perr := elf.Parse(m.bytes())
	got, ok := errors.AsType[*elf.Error](perr)
	if !ok || strings.ContainsAny(got.Error(), "\n\x1b") || len(got.Error()) > 250 {
		t.Errorf("message %q", perr)
	}
	if got != nil && (got.Err != elf.ErrFormat || got.Offset != uint64(m.offsets[relText])) {
		t.Errorf("got %v at byte %d, want one at %d", got.Err, got.Offset, m.offsets[relText])
	}
}
