package pinning_test

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/sys"
)

// TestEnsureMends damages an object in ways after which it can be proved what belongs there, and ensures it once more.
func TestEnsureMends(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(t *testing.T, root *pinning.Root, obj *object.Object)
		same   []string // what is what it was, by the beginning of its name
	}{
		"a detached link": {func(t *testing.T, _ *pinning.Root, obj *object.Object) {
			check(t, obj.Link("count_egress", "cgroup").Detach())
		}, []string{"map", "program", "link count_ingress"}},
		"a link's pin that is gone": {func(t *testing.T, root *pinning.Root, _ *object.Object) {
			check(t, os.Remove(filepath.Join(root.Path(), "counter/links/count_egress@cgroup")))
		}, []string{"map", "program", "link"}},
		"a program's pin that is gone": {func(t *testing.T, root *pinning.Root, _ *object.Object) {
			check(t, os.Remove(filepath.Join(root.Path(), "counter/programs/count_egress")))
		}, []string{"map", "program", "link"}},
		"a map's pin that is gone": {func(t *testing.T, root *pinning.Root, _ *object.Object) {
			check(t, os.Remove(filepath.Join(root.Path(), "counter/maps/packets")))
		}, []string{"map", "program", "link"}},
	} {
		t.Run(name, func(t *testing.T) {
			root, cgroup := newRoot(t), testenv.Cgroup(t)
			opts := toCgroup(t, cgroup)
			old, err := root.Ensure(parse(t, "counter"), opts)
			old = kept(t, old, err)
			packet(t, old, 41)
			c.damage(t, root, old)
			obj, err := root.Ensure(parse(t, "counter"), opts)
			obj = kept(t, obj, err)
			whole(t, root, "counter", obj)
			if n := packets(t, obj); n != 41 {
				t.Errorf("the map has %d, want 41", n)
			}
			before, after := ids(old), ids(obj)
			for thing := range before {
				if !slices.ContainsFunc(c.same, func(s string) bool { return len(thing) >= len(s) && thing[:len(s)] == s }) {
					delete(before, thing)
					delete(after, thing)
				}
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("-before +after:\n%s", diff)
			}
			check(t, old.Close()) // a detached link lives on with its last descriptor
			if n := countLinks(t, "count_egress"); n != 1 {
				t.Errorf("%d links run count_egress, want 1", n)
			}
			check(t, root.Unpin("counter", nil))
		})
	}
}

// TestEnsureRefusesWhatItCannotProve: something else is in a pin's place, or somebody made a link run another program.
func TestEnsureRefusesWhatItCannotProve(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(t *testing.T, root *pinning.Root, obj *object.Object)
		err    error
		words  []string
	}{
		"another map": {func(t *testing.T, root *pinning.Root, _ *object.Object) {
			path := filepath.Join(root.Path(), "counter/maps/packets")
			check(t, os.Remove(path))
			pinFile(t, path)
		}, pinning.ErrDrift, []string{"map packets"}},
		"a foreign file": {func(t *testing.T, root *pinning.Root, obj *object.Object) {
			check(t, obj.Link("count_egress", "cgroup").Detach())
			pinFile(t, filepath.Join(root.Path(), "counter/maps/theirs"))
		}, pinning.ErrForeign, []string{"maps/theirs"}},
		"another program": {func(t *testing.T, root *pinning.Root, obj *object.Object) {
			other := load(t, parse(t, "counter"))
			check(t, obj.Link("count_egress", "cgroup").Update(other.Program("count_egress").FD(), nil))
		}, pinning.ErrDrift, []string{"link count_egress@cgroup", "somebody else"}},
	} {
		t.Run(name, func(t *testing.T) {
			root, cgroup := newRoot(t), testenv.Cgroup(t)
			opts := toCgroup(t, cgroup)
			obj, err := root.Ensure(parse(t, "counter"), opts)
			obj = kept(t, obj, err)
			c.damage(t, root, obj)
			unchanged(t, root, func() {
				_, err := root.Ensure(parse(t, "counter"), opts)
				want(t, err, c.err, c.words...)
				_, err = root.Upgrade(parse(t, "counter_v2"), opts)
				want(t, err, c.err, c.words...)
			})
		})
	}
}

// TestStatusWithoutALook: a link runs another program, and whether somebody is switching it cannot be looked at. Then that is what Status says, at once.
func TestStatusWithoutALook(t *testing.T) {
	root := newRoot(t)
	obj, err := root.Ensure(parse(t, "counter"), toCgroup(t, testenv.Cgroup(t)))
	obj = kept(t, obj, err)
	other := load(t, parse(t, "counter"))
	check(t, obj.Link("count_egress", "cgroup").Update(other.Program("count_egress").FD(), nil))
	check(t, os.Symlink("nowhere", filepath.Join(root.Path(), "%stage-counter")))
	status, err := root.Status("counter")
	check(t, err)
	for _, p := range status.Pins {
		state := pinning.StateOK
		if p.Kind == pinning.KindLink && p.Name == "count_egress" {
			state = pinning.StateUnknown
			want(t, p.Err, unix.ENOTDIR, "%stage-counter")
		}
		if p.State != state {
			t.Errorf("%s %s is %v, want %v", p.Kind, p.Name, p.State, state)
		}
	}
}

// TestEnsureWithNothingToAttach is about an Attach that attaches nothing though the sections say where to: nothing is done again and again.
func TestEnsureWithNothingToAttach(t *testing.T) {
	root := newRoot(t)
	opts := &pinning.Options{Attach: func(*object.Object) error { return nil }}
	first, err := root.Ensure(parse(t, "raw_tp"), opts)
	kept(t, first, err)
	unchanged(t, root, func() {
		again, err := root.Ensure(parse(t, "raw_tp"), opts)
		again = kept(t, again, err)
		if g := again.Pinned().Generation; g != 1 {
			t.Errorf("generation %d, want 1", g)
		}
		whole(t, root, "raw_tp", again)
	})
	check(t, root.Unpin("raw_tp", nil))
}

// TestUpgradeWithPinsOutside replaces a map that an override put outside the tree: its place changes only with the tree, and what another object has there stays.
func TestUpgradeWithPinsOutside(t *testing.T) {
	root := newRoot(t)
	spec := parse(t, "pinned")
	opts := &pinning.Options{Overrides: []pinning.Override{{Kind: pinning.KindMap, Name: "flows", Path: "out/flows"}, {Kind: pinning.KindProgram, Name: "count", Path: "out/count"}}}
	old, err := root.Ensure(spec, opts)
	old = kept(t, old, err)
	spec.Map("flows").MaxEntries *= 2
	_, err = root.Upgrade(spec, nil)
	want(t, err, object.ErrMismatch, "max entries", "flows")
	recreate := &pinning.Options{Upgrade: &pinning.UpgradeOptions{Maps: []pinning.MapPolicy{{Name: "flows", Recreate: true}}}}
	obj, err := root.Upgrade(spec, recreate)
	obj = kept(t, obj, err)
	whole(t, root, "pinned", obj)
	opened, err := object.OpenMap(root.Path() + "/out/flows")
	check(t, err)
	defer opened.Close()
	if opened.ID() != obj.Map("flows").ID() || opened.ID() == old.Map("flows").ID() {
		t.Errorf("out/flows is map %d, the object's is %d, and was %d", opened.ID(), obj.Map("flows").ID(), old.Map("flows").ID())
	}
	check(t, root.Pin(obj, &pinning.Options{Instance: "x", Overrides: []pinning.Override{{Kind: pinning.KindMap, Name: "flows", Path: "out/flows"}}}))
	spec.Map("flows").MaxEntries *= 2
	unchanged(t, root, func() {
		_, err = root.Upgrade(spec, recreate)
		want(t, err, pinning.ErrExist, "out/flows")
	})
	whole(t, root, "pinned", obj)
	check(t, root.Unpin("pinned@x", nil))
	check(t, root.Unpin("pinned", nil))
	if left := files(t, root); !slices.Equal(left, []string{"out"}) && !slices.Equal(left, []string{"out", "out/flows"}) {
		t.Errorf("left: %q", left)
	}
}

// TestRecover finds what a dead process left: a tree that was being built, an unpin that was cut short, and the lock of what is outside.
func TestRecover(t *testing.T) {
	root := newRoot(t)
	obj := load(t, parse(t, "pinned"))
	check(t, root.Pin(obj, &pinning.Options{Name: "building"}))
	check(t, root.Pin(obj, &pinning.Options{Name: "leaving"}))
	check(t, root.Pin(obj, &pinning.Options{Name: "staying"}))
	path := root.Path()
	for _, dir := range []string{"%stage-building", "%stage-leaving", "%stage-empty", "%stage"} {
		mkdir(t, filepath.Join(path, dir))
	}
	check(t, os.Rename(path+"/building", path+"/%stage-building/new"))
	check(t, os.Rename(path+"/leaving", path+"/%stage-leaving/old"))
	held, err := sys.OpenDirAt(nil, path+"/%stage-empty")
	check(t, err)
	check(t, sys.Lock(held, 0))
	unchanged(t, root, func() {
		found, err := root.Recover(&pinning.RecoverOptions{DryRun: true})
		check(t, err)
		recovered(t, found)
	})
	found, err := root.Recover(nil)
	check(t, err)
	recovered(t, found)
	check(t, held.Close())
	found, err = root.Recover(nil)
	check(t, err)
	if len(found) != 1 || found[0].Name != "empty" || found[0].Err != nil {
		t.Errorf("then: %+v", found)
	}
	whole(t, root, "staying", func() *object.Object { again, err := root.Open("staying"); return kept(t, again, err) }())
	check(t, root.Unpin("staying", nil))
	if left := files(t, root); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

func recovered(t testing.TB, found []pinning.Recovered) {
	t.Helper()
	did := make(map[string]string)
	for _, f := range found {
		did[f.Name] = f.Did
		if f.Name == "empty" {
			want(t, f.Err, pinning.ErrBusy, "process")
		} else {
			check(t, f.Err)
		}
	}
	if diff := cmp.Diff(map[string]string{"building": "undid a pin with what it had outside", "empty": "", "leaving": "finished an unpin"}, did); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// waitDetached waits until the links of an object are attached to nothing: the kernel detaches those of a cgroup that was removed later, on a work queue.
func waitDetached(t testing.TB, root *pinning.Root, name string) {
	t.Helper()
	attached := func(p pinning.PinStatus) bool { return p.Kind == pinning.KindLink && p.State != pinning.StateDetached }
	for deadline := time.Now().Add(10 * time.Second); slices.ContainsFunc(statusOf(t, root, name).Pins, attached); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("the links of %s are attached still", name)
		}
	}
}

func TestCollect(t *testing.T) {
	root, cgroup := newRoot(t), testenv.Cgroup(t)
	gone := filepath.Join(cgroup, "gone")
	check(t, os.Mkdir(gone, 0o700))
	for dir, instance := range map[string]string{cgroup: "stays", gone: "gone"} {
		opts := toCgroup(t, dir)
		opts.Instance = instance
		obj, err := root.Ensure(parse(t, "counter"), opts)
		kept(t, obj, err)
	}
	plain := load(t, parse(t, "pinned"))
	check(t, root.Pin(plain, nil))
	check(t, os.Remove(gone))
	waitDetached(t, root, "counter@gone")
	var first, second []pinning.Collected
	unchanged(t, root, func() {
		var err error
		first, err = root.Collect(&pinning.CollectOptions{DryRun: true})
		check(t, err)
	})
	second, err := root.Collect(nil)
	check(t, err)
	expected := []pinning.Collected{{Name: "counter@gone", Why: "none of its 2 links is attached to anything any more"}}
	for _, got := range [][]pinning.Collected{first, second} {
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	matched, err := root.Collect(&pinning.CollectOptions{Match: func(s *pinning.Status) string {
		if s.Name == "pinned" {
			return "asked for"
		}
		return ""
	}})
	check(t, err)
	if diff := cmp.Diff([]pinning.Collected{{Name: "pinned", Why: "asked for"}}, matched); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	check(t, root.Unpin("counter@stays", nil))
	if left := files(t, root); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}
