package pinning_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/sys"
)

// TestUnpinDetaches: when Unpin returns, no link of the object is left in the kernel.
func TestUnpinDetaches(t *testing.T) {
	root := newRoot(t)
	obj, err := root.Ensure(parse(t, "raw_tp"), &pinning.Options{Attach: attachBySection})
	check(t, err)
	check(t, obj.Close())
	check(t, root.Unpin("raw_tp", nil))
	if n := countLinks(t, "count_calls"); n != 0 {
		t.Errorf("%d links run the program after Unpin", n)
	}
	if left := files(t, root); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
	want(t, root.Unpin("raw_tp", nil), pinning.ErrNotExist, "raw_tp")
}

// TestUnpinTellsWhoStaysAttached holds a link of a kind that cannot be detached.
func TestUnpinTellsWhoStaysAttached(t *testing.T) {
	root := newRoot(t)
	obj, err := root.Ensure(parse(t, "raw_tp"), &pinning.Options{Attach: attachBySection})
	kept(t, obj, err)
	want(t, root.Unpin("raw_tp", nil), pinning.ErrAttached, "link count_calls")
	if left := files(t, root); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

// TestG8ForeignStagingDirectory: somebody else has made the directory that a tree is to be staged in.
func TestG8ForeignStagingDirectory(t *testing.T) {
	root := newRoot(t)
	stage := root.Path() + "/%stage-raw_tp"
	mkdir(t, stage+"/new/maps")
	check(t, os.Chown(stage, 1234, 1234))
	unchanged(t, root, func() {
		_, err := root.Ensure(parse(t, "raw_tp"), nil)
		want(t, err, pinning.ErrForeign, stage, "user 1234")
	})
}

func TestBusyIsBounded(t *testing.T) {
	root := newRoot(t)
	stage := root.Path() + "/%stage-raw_tp"
	mkdir(t, stage)
	dir, err := sys.OpenDirAt(nil, stage)
	check(t, err)
	defer dir.Close()
	check(t, sys.Lock(dir, 0))
	_, err = root.Ensure(parse(t, "raw_tp"), nil)
	want(t, err, pinning.ErrBusy, stage)
}

// TestStagingOfTheDeadIsCleared leaves what a process leaves that dies in the middle of a pin, of an unpin, and of replacing one tree by
// another in two steps. The next call that locks the tree finishes or undoes it.
func TestStagingOfTheDeadIsCleared(t *testing.T) {
	root := newRoot(t)
	tree, aside, stage := root.Path()+"/pinned", root.Path()+"/aside", root.Path()+"/%stage-pinned"
	pin := func() { check(t, root.Pin(load(t, parse(t, "pinned")), nil)) }
	move := func(from, to string) {
		mkdir(t, filepath.Dir(to))
		check(t, os.Rename(from, to))
	}
	for _, c := range []struct {
		name   string
		leave  func()
		pinned bool // when it is cleared
	}{
		{"a pin without a record yet", func() { mkdir(t, stage+"/new/maps"); pinFile(t, stage+"/new/maps/flows") }, false},
		{"a pin that is not in its place", func() { pin(); move(tree, stage+"/new") }, false},
		{"an unpin", func() { pin(); move(tree, stage+"/old") }, false},
		{"a swap", func() { pin(); move(tree, aside); pin(); move(tree, stage+"/new"); move(aside, stage+"/old") }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.leave()
			unchanged(t, root, func() { want(t, root.Unpin("other", nil), pinning.ErrNotExist) })
			err := root.Unpin("pinned", nil)
			if c.pinned {
				check(t, err)
			} else {
				want(t, err, pinning.ErrNotExist)
			}
			if left := files(t, root); len(left) > 0 {
				t.Errorf("left %q", left)
			}
		})
	}
}

// TestUnpinKeepsWhatAnotherTreeHas pins one object twice: removing one tree must not detach the links of the other.
func TestUnpinKeepsWhatAnotherTreeHas(t *testing.T) {
	root, cgroup := newRoot(t), testenv.Cgroup(t)
	spec := parse(t, "counter")
	obj, err := root.Ensure(spec, &pinning.Options{Attach: func(obj *object.Object) error {
		dir, err := link.OpenCgroup(cgroup)
		check(t, err)
		defer dir.Close()
		return attachAll(obj, dir)
	}})
	kept(t, obj, err)
	check(t, root.Pin(obj, &pinning.Options{Instance: "x"}))
	check(t, root.Unpin("counter@x", nil))
	status, err := root.Status("counter")
	check(t, err)
	if status.Drifted() {
		t.Errorf("the other tree: %+v", status.Pins)
	}
	check(t, root.Unpin("counter", nil))
}

// TestEnsureAsPinnedOtherwise asks for links, or paths, that the pinned object does not have: an agent must not believe that it runs.
func TestEnsureAsPinnedOtherwise(t *testing.T) {
	root := newRoot(t)
	for name, opts := range map[string]*pinning.Options{
		"raw_tp": {NoUpgrade: true, Attach: attachBySection},
		"pinned": {NoUpgrade: true, Overrides: pinning.Flat(parse(t, "pinned"))},
	} {
		obj, err := root.Ensure(parse(t, name), nil)
		kept(t, obj, err)
		unchanged(t, root, func() {
			_, err := root.Ensure(parse(t, name), opts)
			want(t, err, pinning.ErrDifferent, name)
		})
	}
}

// TestProgramArraysAreNotReused: one that is pinned by name holds the programs of the load that made it.
func TestProgramArraysAreNotReused(t *testing.T) {
	root := newRoot(t)
	spec := parse(t, "tailcall")
	spec.Map("jumps").Pinning = object.PinByName
	first, err := root.Load(spec, nil)
	first = kept(t, first, err)
	second, err := root.Load(spec, nil)
	second = kept(t, second, err)
	if first.Map("jumps").ID() == second.Map("jumps").ID() {
		t.Error("the second load has the program array of the first")
	}
	unchanged(t, root, func() { want(t, root.Pin(second, nil), pinning.ErrExist, "map jumps") })
}
