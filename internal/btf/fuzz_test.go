package btf_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pinion-bpf/pinion/internal/btf"
)

func FuzzParse(f *testing.F) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		b, _ := buildSample(order)
		f.Add(b.raw())
		b.hdrLen = 32
		f.Add(b.raw())
	}
	for _, o := range objects(f) {
		f.Add(o.btf)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := string(raw)
		d, err := btf.Parse(raw)
		if err != nil {
			return
		}
		touch(d)
		for id := range btf.ID(d.Len()) {
			typ := d.Type(id)
			if found, ok := d.Find(typ.Kind(), typ.Name()); id != 0 && (!ok || found.ID() > id) {
				t.Errorf("Find does not find type %d", id)
			}
			if id > 1<<10 {
				break // Find is linear, and so would this be quadratic
			}
		}
		if string(raw) != before {
			t.Error("reading changed the blob")
		}
		edit(t, d.Copy())
		if known, err := d.Without(1<<32 - 1); err != nil {
			t.Errorf("without what old kernels do not know: %v", err)
		} else if edit(t, known); known.Parts() != 0 {
			t.Errorf("parts %b are left", known.Parts())
		}
		if string(raw) != before {
			t.Error("editing a copy changed the blob")
		}
	})
}

// edit tries every edit on every type; what comes out must still be BTF.
func edit(t *testing.T, d *btf.Data) {
	for id := range btf.ID(d.Len() + 1) {
		for _, err := range []error{
			d.SetDatasecSize(id, 1), d.SetVarSecinfo(id, 0, 1, 1), d.SetFuncLinkage(id, 1), d.SetVarLinkage(id, 1),
		} {
			if err != nil && !errors.Is(err, btf.ErrEdit) {
				t.Errorf("type %d: %T is no ErrEdit", id, err)
			}
		}
	}
	if _, err := btf.Parse(d.Raw()); err != nil {
		t.Error(err)
	}
	for id := range btf.ID(d.Len() + 1) {
		vars := collect(d.Type(id).Vars())
		for n := range min(len(vars), 3) + 1 {
			c, err := d.WithVars(id, vars[len(vars)-n:])
			if isDatasec := d.Type(id).Kind() == btf.KindDatasec; isDatasec != (err == nil) {
				t.Errorf("type %d: WithVars says %v", id, err)
			} else if isDatasec {
				if diff := cmp.Diff(vars[len(vars)-n:], collect(c.Type(id).Vars()), cmpopts.EquateEmpty()); diff != "" || c.Len() != d.Len() {
					t.Errorf("type %d, of %d: -want +got:\n%s", id, c.Len(), diff)
				}
			}
		}
	}
}

func FuzzParseExt(f *testing.F) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		b, _, parts := sampleExt(order)
		f.Add(b.raw(), ext(order, 32, parts...))
		f.Add(b.raw(), ext(order, 24, parts[:2]...))
	}
	for _, o := range objects(f) {
		f.Add(o.btf, o.ext)
	}
	f.Fuzz(func(_ *testing.T, raw, rawExt []byte) { use(raw, rawExt) })
}
