package btf_test

import (
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinion-bpf/pinion/internal/btf"
)

// use reads a blob as hard as possible, if Parse takes it, and its .BTF.ext too.
func use(raw, rawExt []byte) (took bool) {
	d, err := btf.Parse(raw)
	if err != nil {
		return false
	}
	touch(d)
	useExt(rawExt, d)
	return true
}

func useExt(raw []byte, d *btf.Data) (took bool) {
	e, err := btf.ParseExt(raw, d)
	if err != nil {
		return false
	}
	for _, section := range []string{"xdp", "tc", ".text", ""} {
		funcs, _ := e.FuncInfo(section)
		lines, _ := e.LineInfo(section)
		relos, _ := e.CORERelos(section)
		for i := -1; i <= int(min(funcs.Count, 1<<16)); i++ {
			d.Type(e.FuncInfoAt(funcs, i).Type).Name()
		}
		for i := -1; i <= int(min(lines.Count, 1<<16)); i++ {
			d.String(e.LineInfoAt(lines, i).LineOff)
		}
		for i := -1; i <= int(min(relos.Count, 1<<16)); i++ {
			d.String(e.COREReloAt(relos, i).AccessOff)
		}
	}
	return true
}

func TestTruncated(t *testing.T) {
	orders(t, func(t *testing.T, order binary.ByteOrder) {
		b, _, parts := sampleExt(order)
		raw, rawExt := b.raw(), ext(order, 32, parts...)
		for n := range raw {
			if use(slices.Clip(raw[:n]), rawExt) {
				t.Errorf("Parse took the first %d of %d bytes", n, len(raw))
			}
		}
		d := parse(t, b)
		for n := range rawExt {
			if useExt(slices.Clip(rawExt[:n]), d) {
				t.Errorf("ParseExt took the first %d of %d bytes", n, len(rawExt))
			}
		}
	})
}

func TestCorrupted(t *testing.T) {
	orders(t, func(t *testing.T, order binary.ByteOrder) {
		b, _, parts := sampleExt(order)
		raw, rawExt := b.raw(), ext(order, 32, parts...)
		taken := 0
		for i := range raw {
			was := raw[i]
			for v := range 256 {
				raw[i] = byte(v)
				if use(raw, rawExt) {
					taken++
				}
			}
			raw[i] = was
		}
		d := parse(t, b)
		for i := range rawExt {
			was := rawExt[i]
			for v := range 256 {
				rawExt[i] = byte(v)
				if useExt(rawExt, d) {
					taken++
				}
			}
			rawExt[i] = was
		}
		if taken == 0 {
			t.Error("no corruption got past the parsers, not even one in a name: the accessors were not tried")
		}
	})
}

// Many types that name tails of one long string: a search that reads each name to its end would read more than a terabyte.
func TestFindIsBounded(t *testing.T) {
	b := newBuilder(binary.LittleEndian)
	b.str(strings.Repeat("a", 16<<20))
	for i := range uint32(100000) {
		b.types = appendWords(b.types, b.order, 1+i, uint32(btf.KindFwd)<<24, 0)
	}
	d := parse(t, b)
	start := time.Now()
	if _, ok := d.Find(btf.KindFwd, "aaaa"); ok {
		t.Error("found what is not there")
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

// The index is as long as the types that are there, not as a header or a vlen claims.
func TestMemoryIsBounded(t *testing.T) {
	b := newBuilder(binary.LittleEndian)
	for range 100000 {
		b.add(btf.KindFwd, "", false, 0, 0)
	}
	raw := b.raw()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := btf.Parse(raw); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(len(raw)/2); got > limit {
		t.Errorf("Parse of %d bytes allocates %d, want %d at most", len(raw), got, limit)
	}
}
