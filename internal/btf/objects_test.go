package btf_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"path/filepath"
	"testing"

	"github.com/pinion-bpf/pinion/internal/btf"
)

// object is the BTF of one BPF ELF file.
type object struct {
	btf, ext []byte
	order    binary.ByteOrder
	code     map[string]uint64 // sections with instructions, and their lengths in bytes
}

// objects reads every compiled object of the repository that has BTF.
func objects(t testing.TB) map[string]object {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "..", "testdata", "bpf", "*.o"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]object{}
	for _, name := range names {
		f, err := elf.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		o := object{order: f.ByteOrder, code: map[string]uint64{}}
		for _, s := range f.Sections {
			if s.Flags&elf.SHF_EXECINSTR != 0 {
				o.code[s.Name] = s.Size
			}
		}
		if o.btf, o.ext = section(t, f, ".BTF"), section(t, f, ".BTF.ext"); o.btf != nil {
			all[filepath.Base(name)] = o
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func section(t testing.TB, f *elf.File, name string) []byte {
	t.Helper()
	s := f.Section(name)
	if s == nil {
		return nil
	}
	data, err := s.Data()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestObjects(t *testing.T) {
	all := objects(t)
	if len(all) == 0 {
		t.Fatal("no object with BTF in testdata/bpf: run make generate")
	}
	for name, o := range all {
		t.Run(name, func(t *testing.T) {
			d, err := btf.Parse(o.btf)
			if err != nil {
				t.Fatal(err)
			}
			if d.Order() != o.order {
				t.Errorf("BTF is %v, ELF %v", d.Order(), o.order)
			}
			if d.Len() < 2 {
				t.Error("no types")
			}
			touch(d)
			if !bytes.Equal(d.Copy().Raw(), o.btf) {
				t.Error("reading changed the blob")
			}
			if o.ext != nil {
				wantRecords(t, d, o)
			}
		})
	}
}

// wantRecords checks that each section with code has func_info, and that all records point into it, in order.
func wantRecords(t *testing.T, d *btf.Data, o object) {
	t.Helper()
	e, err := btf.ParseExt(o.ext, d)
	if err != nil {
		t.Fatal(err)
	}
	for section, size := range o.code {
		funcs, ok := e.FuncInfo(section)
		if !ok && size > 0 {
			t.Errorf("section %s has no func_info", section)
		}
		var offs []uint32
		for i := range int(funcs.Count) {
			offs = append(offs, e.FuncInfoAt(funcs, i).InsnOff)
		}
		wantAscending(t, section+" func_info", offs, size)
		lines, _ := e.LineInfo(section)
		offs = nil
		for i := range int(lines.Count) {
			l := e.LineInfoAt(lines, i)
			offs = append(offs, l.InsnOff)
			if d.String(l.FileNameOff) == "" {
				t.Errorf("%s line %d is of no file", section, i)
			}
		}
		wantAscending(t, section+" line_info", offs, size)
		relos, _ := e.CORERelos(section)
		for i := range int(relos.Count) {
			r := e.COREReloAt(relos, i)
			if uint64(r.InsnOff) >= size || d.String(r.AccessOff) == "" || r.Kind > 12 {
				t.Errorf("%s CO-RE relocation %d: %+v", section, i, r)
			}
		}
	}
}

func wantAscending(t *testing.T, what string, offs []uint32, size uint64) {
	t.Helper()
	for i, off := range offs {
		if uint64(off) >= size || i > 0 && off < offs[i-1] {
			t.Errorf("%s record %d is at byte %d, in a section of %d", what, i, off, size)
		}
	}
}
