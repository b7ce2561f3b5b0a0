package object_test

import (
	"bytes"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
	"testing"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// TestOlderBTF loads, runs and loads again, with the maps of the first time, an object whose BTF has what Linux 5.10 does not know.
func TestOlderBTF(t *testing.T) {
	first := load(t, "btf_newer")
	run(t, first, "note", 0)
	wantVariables(t, first, map[string]uint64{"found": 1<<48 | 1<<40})
	maps := existing{"readings": first.Map("readings"), ".bss": first.Map(".bss")}
	again := loadSpec(t, open(t, "btf_newer"), &object.LoadOptions{Maps: maps})
	run(t, again, "note", 0)
	wantVariables(t, first, map[string]uint64{"found": 2<<48 | 1<<40})

	data := mustRead(t, "btf_newer")
	other, err := object.Parse("btf_newer", bytes.Replace(data, []byte("\x00count\x00"), []byte("\x00bytes\x00"), 1))
	check(t, err)
	_, err = other.Load(&object.LoadOptions{Maps: existing{"readings": first.Map("readings")}})
	wantError(t, err, object.ErrMismatch, `"readings"`, `"bytes"`, `"count"`)
}

// TestKnownBTF: a kernel that knows everything is given the types as they are.
func TestKnownBTF(t *testing.T) {
	testenv.Root(t)
	s := open(t, "btf_newer")
	whole, err := s.KernelBTF(false)
	check(t, err)
	known, err := s.KernelBTF(true)
	check(t, err)
	if same := cmp.Equal(whole, known); same != testenv.Has(t, "6.0") {
		t.Errorf("the kernel is given the types as they are: %t", same)
	}
}

// TestKnownBTFAskedOnce: a BTF that was loaded has used up an id, and so has each question that the kernel has answered with yes.
func TestKnownBTFAskedOnce(t *testing.T) {
	testenv.Kernel(t, "6.0", "a kernel that takes every part of btf_newer, as what is refused uses up no id")
	s := open(t, "btf_newer")
	before := btfID(t, s) // asks, if no test has done so yet
	_, err := s.KernelBTF(true)
	check(t, err)
	if after := btfID(t, s); after != before+1 {
		t.Errorf("%d questions", after-before-1)
	}
}

// btfID loads the BTF of an object, and gives its id.
func btfID(t *testing.T, s *object.Spec) uint32 {
	t.Helper()
	fd := loadBTF(t, s)
	defer fd.Close()
	var info sys.BTFInfo
	_, err := sys.GetInfo(fd, &info)
	check(t, err)
	return info.ID
}

// TestLoadWithoutBTF: an object whose BTF the kernel refuses is loaded without it, and says so. If that is why something else is refused, both are told.
func TestLoadWithoutBTF(t *testing.T) {
	o := load(t, "btf_refused")
	wantError(t, o.WithoutBTF(), unix.EINVAL, "load BTF", `Invalid arg#1`)
	run(t, o, "count", 70)
	wantVariables(t, o, map[string]uint64{"runs": 1})
	if id := o.Map("lengths").Info().BTFID; id != 0 {
		t.Errorf("the map has BTF %d", id)
	}
	s := open(t, "btf_refused")
	s.Map("lengths").Type, s.Map("lengths").Flags, s.Map("lengths").MaxEntries = sys.MapTypeSKStorage, unix.BPF_F_NO_PREALLOC, 0 // which must have types
	_, err := s.Load(nil)
	wantError(t, err, unix.EINVAL, "go on without BTF", "Invalid arg#1", `create map "lengths"`)
}
