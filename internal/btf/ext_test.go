package btf_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pinion-bpf/pinion/internal/btf"
)

// sampleExt returns BTF and .BTF.ext of two sections, with func_info records a word longer than they must be.
func sampleExt(order binary.ByteOrder) (*builder, sample, []extPart) {
	b, s := buildSample(order)
	xdp, tc, file, line, access := b.str("xdp"), b.str("tc"), b.str("flow.c"), b.str("return 0;"), b.str("0:1")
	return b, s, []extPart{
		{12, []extBlock{{xdp, [][]uint32{{0, uint32(s.prog), 7}}}, {tc, [][]uint32{{8, uint32(s.prog), 7}}}}},
		{16, []extBlock{{xdp, [][]uint32{{0, file, line, 3<<10 | 1}, {16, file, line, 4<<10 | 2}}}}},
		{16, []extBlock{{tc, [][]uint32{{24, uint32(s.flow), access, 5}}}}},
	}
}

func TestParseExt(t *testing.T) {
	orders(t, func(t *testing.T, order binary.ByteOrder) {
		b, s, parts := sampleExt(order)
		e, err := btf.ParseExt(ext(order, 32, parts...), parse(t, b))
		if err != nil {
			t.Fatal(err)
		}
		funcs, ok := e.FuncInfo("tc")
		if !ok || funcs.RecSize != 12 || funcs.Count != 1 || len(funcs.Data) != 12 {
			t.Errorf("FuncInfo(tc) = %+v, %v", funcs, ok)
		}
		lines, ok := e.LineInfo("xdp")
		if !ok || lines.RecSize != 16 || lines.Count != 2 || len(lines.Data) != 32 {
			t.Errorf("LineInfo(xdp) = %+v, %v", lines, ok)
		}
		relos, ok := e.CORERelos("tc")
		if !ok {
			t.Error("no CORERelos(tc)")
		}
		got := []any{
			e.FuncInfoAt(funcs, 0), e.LineInfoAt(lines, 0), e.LineInfoAt(lines, 1), e.COREReloAt(relos, 0),
			e.FuncInfoAt(funcs, 1), e.FuncInfoAt(funcs, -1), e.LineInfoAt(btf.Records{RecSize: 16, Count: 1}, 0),
		}
		file, line, access := b.str("flow.c"), b.str("return 0;"), b.str("0:1")
		want := []any{
			btf.FuncInfo{8, s.prog}, btf.LineInfo{0, file, line, 3<<10 | 1}, btf.LineInfo{16, file, line, 4<<10 | 2}, btf.CORERelo{24, s.flow, access, 5, relos.Offset},
			btf.FuncInfo{}, btf.FuncInfo{}, btf.LineInfo{},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
		for _, name := range []string{"", "x", "xdp2", "tc/ingress"} {
			if _, ok := e.FuncInfo(name); ok {
				t.Errorf("FuncInfo(%q) found something", name)
			}
		}
		if _, ok := e.LineInfo("tc"); ok {
			t.Error("LineInfo(tc) found something")
		}
	})
}

func TestParseExtHeaders(t *testing.T) {
	b, _, parts := sampleExt(binary.LittleEndian)
	d := parse(t, b)
	short, err := btf.ParseExt(ext(binary.LittleEndian, 24, parts[:2]...), d)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := short.CORERelos("tc"); ok {
		t.Error("CO-RE relocations where the header has none")
	}
	if _, ok := short.FuncInfo("xdp"); !ok {
		t.Error("no func_info")
	}
	if _, err := btf.ParseExt(ext(binary.LittleEndian, 40, parts...), d); err != nil {
		t.Error(err)
	}
	if _, err := btf.ParseExt(ext(binary.LittleEndian, 32), d); err != nil {
		t.Errorf("no records at all: %v", err)
	}
}

func TestParseExtRefuses(t *testing.T) {
	long := strings.Repeat("x", 5000)
	tests := []struct {
		want string
		mess func(b *builder, parts []extPart) []extPart
	}{
		{"func_info records of 4 bytes", func(_ *builder, p []extPart) []extPart { p[0].recSize = 4; return p }},
		{"line_info records of 8 bytes", func(_ *builder, p []extPart) []extPart { p[1].recSize = 8; return p }},
		{"core_relo records of 18 bytes", func(_ *builder, p []extPart) []extPart { p[2].recSize = 18; return p }},
		{"section name at 999999 is outside", func(_ *builder, p []extPart) []extPart { p[0].blocks[1].section = 999999; return p }},
		{"section name is longer than 4352", func(b *builder, p []extPart) []extPart { p[0].blocks[1].section = b.str(long); return p }},
		{"block has no records", func(_ *builder, p []extPart) []extPart { p[0].blocks[1].records = nil; return p }},
		{"block of 1 records ends beyond", func(_ *builder, p []extPart) []extPart { p[2].recSize = 1 << 31; return p }},
		{"func_info has two blocks for section xdp", func(b *builder, p []extPart) []extPart {
			p[0].blocks[1].section = p[0].blocks[0].section
			return p
		}},
		{"func_info record: type 1 is no func", func(_ *builder, p []extPart) []extPart { p[0].blocks[0].records[0][1] = 1; return p }},
		{"func_info record: type 999 is no func", func(_ *builder, p []extPart) []extPart { p[0].blocks[0].records[0][1] = 999; return p }},
		{"instruction offset 12 is no", func(_ *builder, p []extPart) []extPart { p[1].blocks[0].records[1][0] = 12; return p }},
		{"file name at 77777", func(_ *builder, p []extPart) []extPart { p[1].blocks[0].records[1][1] = 77777; return p }},
		{"line at 77777", func(_ *builder, p []extPart) []extPart { p[1].blocks[0].records[1][2] = 77777; return p }},
		{"core_relo record: type 999", func(_ *builder, p []extPart) []extPart { p[2].blocks[0].records[0][1] = 999; return p }},
		{"access string at 77777", func(_ *builder, p []extPart) []extPart { p[2].blocks[0].records[0][2] = 77777; return p }},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			b, _, parts := sampleExt(binary.LittleEndian)
			parts = tt.mess(b, parts)
			raw := ext(binary.LittleEndian, 32, parts...)
			wantExtRefused(t, raw, parse(t, b), tt.want)
		})
	}
}

func TestParseExtRefusesHeaders(t *testing.T) {
	b, _, parts := sampleExt(binary.LittleEndian)
	d := parse(t, b)
	put := func(off int, w uint32) []byte {
		raw := ext(binary.LittleEndian, 32, parts...)
		binary.LittleEndian.PutUint32(raw[off:], w)
		return raw
	}
	for want, raw := range map[string][]byte{
		"cut short":                          nil,
		"byte order":                         ext(binary.BigEndian, 32, parts...),
		"magic":                              put(0, 0),
		"a header of 20 bytes":               put(4, 20),
		"func_info ends beyond":              put(12, 1<<31),
		"line_info ends beyond":              put(16, 1<<31),
		"func_info block is cut short":       put(12, 28),
		"core_relo does not begin at a mult": put(24, 2),
		"func_info does not begin at a":      put(12, 3),
	} {
		wantExtRefused(t, raw, d, want)
	}
	wantExtRefused(t, ext(binary.LittleEndian, 32, parts...), nil, "no BTF")
}

func wantExtRefused(t *testing.T, raw []byte, d *btf.Data, want string) {
	t.Helper()
	e, err := btf.ParseExt(raw, d)
	if err == nil || e != nil {
		t.Fatalf("ParseExt took it, want %q", want)
	}
	if !errors.Is(err, btf.ErrFormat) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), ".BTF.ext byte ") {
		t.Errorf("got %v, want an ErrFormat that says %q and where in .BTF.ext", err, want)
	}
}
