package object_test

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/object"
)

// openFiles counts the process's descriptors.
func openFiles(t testing.TB) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	check(t, err)
	return len(files)
}

// withFiles calls do while the process may open only so many descriptors more.
func withFiles(t testing.TB, more int, do func()) {
	t.Helper()
	var old unix.Rlimit
	check(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
	// Descriptors are given out from the lowest free one, so limiting them takes one that is free with nothing free below.
	free, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
	check(t, err)
	check(t, unix.Close(free))
	limit := unix.Rlimit{Cur: uint64(free + more), Max: old.Max}
	check(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))
	defer func() { check(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &old)) }()
	do()
}

// TestLoadOutOfFiles lets every step of a load fail that needs a descriptor, one after the other.
func TestLoadOutOfFiles(t *testing.T) {
	for _, name := range []string{"counter", "map_in_map", "tailcall", "iter", "globals"} {
		t.Run(name, func(t *testing.T) {
			s, types := open(t, name), runningKernel(t)
			before := openFiles(t)
			for more := 0; ; more++ {
				var o *object.Object
				var err error
				withFiles(t, more, func() { o, err = s.Load(&object.LoadOptions{Workers: 2, KernelTypes: types}) })
				if err == nil {
					check(t, o.Close())
					if want := len(s.Maps) + len(s.Programs); more < want {
						t.Errorf("loaded with %d descriptors, which cannot be: it has %d", more, want)
					}
					break
				}
				if !errors.Is(err, unix.EMFILE) {
					t.Fatalf("with %d descriptors: %v", more, err)
				}
				if more > 0 && more < len(s.Maps) {
					wantError(t, err, unix.EMFILE, "create map", "RLIMIT_NOFILE")
				}
				if after := openFiles(t); after != before {
					t.Fatalf("with %d descriptors: %d were open before, %d after", more, before, after)
				}
			}
		})
	}
}

// TestLoadFailuresLeaveNothing lets a load fail at each map and each program in turn.
func TestLoadFailuresLeaveNothing(t *testing.T) {
	for _, name := range []string{"counter", "map_in_map", "globals", "sock_addr"} {
		s := open(t, name)
		before := openFiles(t)
		fails := func(what string) {
			if o, err := s.Load(nil); err == nil {
				o.Close()
				t.Errorf("%s: loaded with a broken %s", name, what)
			}
			if after := openFiles(t); after != before {
				t.Errorf("%s, %s: %d descriptors were open before, %d after", name, what, before, after)
			}
		}
		for _, m := range s.Maps {
			flags := m.Flags
			m.Flags = 1 << 31
			fails("map " + m.Name)
			m.Flags = flags
		}
		for _, p := range s.Programs {
			kind := p.Type
			p.Type = 999
			fails("program " + p.Name)
			p.Type = kind
		}
	}
}

// TestLoadHoldsNoMore counts descriptors: one for each map and program of the object, and none when it is closed.
func TestLoadHoldsNoMore(t *testing.T) {
	s := open(t, "many")
	before := openFiles(t)
	o, err := s.Load(nil)
	check(t, err)
	if got, want := openFiles(t)-before, len(s.Maps)+len(s.Programs); got != want {
		t.Errorf("a loaded object holds %d descriptors, want %d", got, want)
	}
	check(t, o.Close())
	if after := openFiles(t); after != before {
		t.Errorf("%d descriptors were open before, %d after", before, after)
	}
}

// TestLoadWithoutRights gives up CAP_BPF and its like on one thread.
func TestLoadWithoutRights(t *testing.T) {
	for name, parts := range map[string][]string{
		"counter": {"load BTF", "needs CAP_BPF, or CAP_SYS_ADMIN"},
		"nobtf":   {"needs CAP_BPF, or CAP_SYS_ADMIN"},
	} {
		s := open(t, name)
		err := withoutRights(t, func() error {
			o, err := s.Load(&object.LoadOptions{Workers: 1})
			if err == nil {
				o.Close()
			}
			return err
		})
		wantError(t, err, unix.EPERM, parts...)
	}
}
