package link_test

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

const anyLength = 1 << 20

// mapElements loads an iterator over the elements of a map. It may write to them, which is more than some kernels allow.
func mapElements(t *testing.T) *sys.FD {
	t.Helper()
	p, err := iterator(t, "bpf_map_elem").open()
	testenv.Allowed(t, err, "an iterator over the elements of a map")
	t.Cleanup(func() { p.Close() })
	return p
}

// TestIterMap walks twice over the elements of a map: the program prints one byte for each, and one at the end.
func TestIterMap(t *testing.T) {
	array, elements := newArray(t, 5), mapElements(t)
	l := attach(t, link.Iter{Map: array}, elements)
	for range 2 {
		text, err := link.ReadIter(l, anyLength)
		check(t, err)
		if string(text) != "######" {
			t.Errorf("read %q", text)
		}
	}
	info, err := l.Info()
	check(t, err)
	if _, id, err := sys.KindOf(array); err != nil || info.MapID != id || info.Name != "bpf_map_elem" {
		t.Errorf("map id %d of %q, want %d, %v", info.MapID, info.Name, id, err)
	}
	_, err = link.Iter{}.Attach(elements)
	wantError(t, err)
}

// TestIterReads walks over all maps, of which there are at least two.
func TestIterReads(t *testing.T) {
	newArray(t, 5)
	newArray(t, 5)
	l := attach(t, link.Iter{}, iterator(t, "bpf_map").load(t))
	text, err := link.ReadIter(l, anyLength)
	check(t, err)
	if len(text) < 3 || strings.Trim(string(text), "#") != "" {
		t.Errorf("two maps and the end: read %q", text)
	}
	_, err = link.ReadIter(l, 2)
	wantError(t, err, unix.EFBIG)
}

func TestIterTask(t *testing.T) {
	testenv.Kernel(t, "6.1", "iterators over one task")
	p := iterator(t, "task").load(t)
	one := attach(t, link.Iter{TID: uint32(unix.Gettid())}, p)
	text, err := link.ReadIter(one, anyLength)
	check(t, err)
	if string(text) != "##" {
		t.Errorf("one thread and the end: read %q", text)
	}
	all := attach(t, link.Iter{PID: uint32(unix.Getpid())}, p)
	text, err = link.ReadIter(all, anyLength)
	check(t, err)
	if len(text) < 3 {
		t.Errorf("all threads of this process and the end: read %q", text)
	}
}

func TestIterCgroup(t *testing.T) {
	testenv.Kernel(t, "6.1", "iterators over cgroups")
	path, dir := newCgroup(t)
	for _, name := range []string{"/a", "/b"} {
		check(t, unix.Mkdir(path+name, 0o755))
		t.Cleanup(func() { check(t, unix.Rmdir(path+name)) })
	}
	p := iterator(t, "cgroup").load(t)
	const selfOnly, descendants = 1, 2
	for order, want := range map[uint32]string{selfOnly: "##", descendants: "####"} {
		l := attach(t, link.Iter{Cgroup: dir, CgroupOrder: order}, p)
		text, err := link.ReadIter(l, anyLength)
		check(t, err)
		if string(text) != want {
			t.Errorf("order %d: read %q, want %q", order, text, want)
		}
	}
}

func TestIterErrors(t *testing.T) {
	array, maps := newArray(t, 5), iterator(t, "bpf_map").load(t)
	_, err := link.Iter{Map: array, PID: 1}.Attach(maps)
	wantError(t, err, unix.EINVAL)
	_, err = link.Iter{Map: new(sys.FD)}.Attach(maps)
	wantError(t, err, sys.ErrClosed)

	other := attach(t, link.RawTracepoint{Name: "sys_enter"}, rawTP.load(t))
	_, err = link.OpenIter(other)
	wantError(t, err, unix.EINVAL)
	_, err = link.ReadIter(other, anyLength)
	wantError(t, err, unix.EINVAL)
}
