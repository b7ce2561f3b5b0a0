package link_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

const anyLength = 1 << 20

// TestIterReads walks twice over the elements of a map: the program prints one byte for each, and one at the end.
func TestIterReads(t *testing.T) {
	array := newArray(t, 5)
	l := attach(t, link.Iter{Map: array}, iterator(t, "bpf_map_elem").load(t))
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
	array, elements := newArray(t, 5), iterator(t, "bpf_map_elem").load(t)
	l := attach(t, link.Iter{Map: array}, elements)
	_, err := link.ReadIter(l, 5)
	wantError(t, err, unix.EFBIG)
	_, err = link.Iter{Map: array, PID: 1}.Attach(elements)
	wantError(t, err, unix.EINVAL)
	_, err = link.Iter{Map: new(sys.FD)}.Attach(elements)
	wantError(t, err, sys.ErrClosed)
	_, err = link.Iter{}.Attach(elements)
	wantError(t, err)

	other := attach(t, link.RawTracepoint{Name: "sys_enter"}, rawTP.load(t))
	_, err = link.OpenIter(other)
	wantError(t, err, unix.EINVAL)
	_, err = link.ReadIter(other, anyLength)
	wantError(t, err, unix.EINVAL)
}
