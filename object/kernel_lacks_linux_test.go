package object_test

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// TestNeedsNewerKernel: what is refused because the kernel is too old is said to be, and what is refused for another reason is not.
func TestNeedsNewerKernel(t *testing.T) {
	for _, c := range []struct {
		linux, object string
		change        func(s *object.Spec)
		what          string
	}{
		{"6.4", "socket", func(s *object.Spec) {
			s.Programs[0].Type, s.Programs[0].AttachType = sys.ProgTypeNetfilter, sys.AttachTypeXDP
		}, "programs of type netfilter"},
		{"5.18", "xdp", func(s *object.Spec) {
			s.Programs[0].Flags |= unix.BPF_F_XDP_HAS_FRAGS | 1<<31
		}, "XDP with fragments"},
		{"6.9", "arena", func(s *object.Spec) { s.Map("arena").Flags |= 1 << 31 }, "maps of type arena"},
		{"5.16", "maps_5_16", func(s *object.Spec) { s.Maps[0].Flags |= 1 << 31 }, "maps of type " + open(t, "maps_5_16").Maps[0].Type.String()},
	} {
		release, err := testenv.Release()
		check(t, err)
		s := open(t, c.object)
		c.change(s)
		_, err = s.Load(needed(t, s))
		if !testenv.Has(t, c.linux) {
			wantError(t, err, unix.EINVAL, c.object, "needs Linux "+c.linux+", this is "+release+": "+c.what)
		} else if !errors.Is(err, unix.EINVAL) || strings.Contains(err.Error(), "needs Linux") {
			t.Errorf("%s, with a flag that there is not: %v", c.object, err)
		}
	}
}

// TestForbiddenToRoot: who has every capability is not told that one is missing.
func TestForbiddenToRoot(t *testing.T) {
	s := open(t, "nobtf")
	err := testenv.Forbidden(t, func() error {
		_, err := s.Load(&object.LoadOptions{Workers: 1})
		return err
	})
	wantError(t, err, unix.EPERM, "nobtf", "the process has CAP_SYS_ADMIN, so something else forbids it")
	if strings.Contains(err.Error(), "needs") {
		t.Errorf("%v, to root", err)
	}
}

// TestKernelLacks asks the kernel about each feature: it must lack those, and only those, that came with a later Linux.
func TestKernelLacks(t *testing.T) {
	testenv.Root(t)
	release, err := testenv.Release()
	check(t, err)
	for _, f := range object.Features() {
		want := ""
		if !testenv.Has(t, f.Linux) {
			want = "needs Linux " + f.Linux + ", this is " + release + ": " + f.What
		}
		for range 2 { // the second answer is remembered
			if got := f.Lack(); got != want {
				t.Errorf("%s, of Linux %s: %q, want %q", f.What, f.Linux, got, want)
			}
		}
	}
}
