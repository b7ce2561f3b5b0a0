package btf_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/internal/btf"
)

// FuzzCORE fits one relocation to a kernel, and to the same bytes as a module of it. There must be an end and no panic, the same result each time, and
// errors only of the kinds that are promised.
func FuzzCORE(f *testing.F) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		local, kernel := newBuilder(order), newBuilder(order)
		id := s("s", 0)(local)
		enumeration(btf.KindEnum, true, value{"A", -1})(local)
		s("s___2", 8)(kernel)
		bits(4, 3, 2, 1)(kernel)
		enumeration(btf.KindEnum64, false, value{"A", 1 << 40})(kernel)
		for kind := range uint32(13) {
			f.Add(local.raw(), kernel.raw(), uint32(id), kind, "0:3:1")
			f.Add(local.raw(), kernel.raw(), uint32(id)+1, kind, "0")
		}
	}
	f.Fuzz(func(t *testing.T, rawLocal, rawKernel []byte, id, kind uint32, access string) {
		if len(access) > 200 || len(rawLocal)+len(rawKernel) > 1<<16 {
			return
		}
		local, err := btf.Parse(withAccess(rawLocal, access))
		if err != nil {
			return
		}
		kernel, err := btf.Parse(rawKernel)
		if err != nil {
			return
		}
		relo := btf.CORERelo{Type: btf.ID(id), AccessOff: accessOff(rawLocal), Kind: btf.COREKind(kind)}
		first, firstErr := fitFuzzed(t, local, kernel, rawKernel, relo)
		second, secondErr := fitFuzzed(t, local, kernel, rawKernel, relo)
		if diff := cmp.Diff(first, second); diff != "" || (firstErr == nil) != (secondErr == nil) {
			t.Errorf("once %v, then %v:\n%s", firstErr, secondErr, diff)
		}
		if local.DescribeAccess(relo) == "" {
			t.Error("no description")
		}
	})
}

func fitFuzzed(t *testing.T, local, kernel *btf.Data, module []byte, relo btf.CORERelo) (btf.Fix, error) {
	r := btf.NewRelocator(local)
	r.Add(relo)
	if err := r.Search(kernel); err != nil {
		return btf.Fix{}, err
	}
	if d, err := btf.ParseSplit(module, kernel); err == nil && r.Lacks() {
		if err := r.Search(d); err != nil {
			return btf.Fix{}, err
		}
	}
	fix, err := r.Fit(relo)
	if err != nil && !errors.Is(err, btf.ErrFormat) && !errors.Is(err, btf.ErrAmbiguous) && !errors.Is(err, btf.ErrLimit) {
		t.Errorf("error %v", err)
	}
	return fix, err
}

// withAccess appends a string to the strings of a blob, if they come last in it as builders write them.
func withAccess(raw []byte, access string) []byte {
	if len(raw) < 24 {
		return raw
	}
	order := orderOf(raw)
	raw = append(append(append([]byte{}, raw...), access...), 0)
	order.PutUint32(raw[20:], order.Uint32(raw[20:])+uint32(len(access))+1)
	return raw
}

// accessOff is where withAccess has put it.
func accessOff(raw []byte) uint32 {
	if len(raw) < 24 {
		return 0
	}
	return orderOf(raw).Uint32(raw[20:])
}

func orderOf(raw []byte) binary.ByteOrder {
	if raw[0] == 0xEB {
		return binary.BigEndian
	}
	return binary.LittleEndian
}
