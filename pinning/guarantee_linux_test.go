package pinning_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/sys"
)

// TestG1Unique pins two objects with equally named maps, and an object whose names differ only in '.' and '_': every thing has a path
// of its own, and every path leads to its own thing.
func TestG1Unique(t *testing.T) {
	root := newRoot(t)
	seen := make(map[uint32]string)
	for _, name := range []string{"events_a", "events_b", "events_b_big", "dots", "dots_program", "long_names"} {
		obj := load(t, parse(t, name))
		check(t, root.Pin(obj, nil))
		again, err := root.Open(name)
		if err == nil {
			defer again.Close()
		}
		check(t, err)
		if diff := cmp.Diff(ids(obj), ids(again)); diff != "" {
			t.Errorf("%s (-loaded +pinned):\n%s", name, diff)
		}
		for thing, id := range ids(again) {
			if first := seen[id]; first != "" && thing[:4] == first[:4] {
				t.Errorf("%s of %s is %s", thing, name, first)
			}
			seen[id] = thing + " of " + name
		}
	}
}

func TestG1ConflictNamesBothClaimants(t *testing.T) {
	root := newRoot(t)
	obj := load(t, parse(t, "pinned"))
	for name, c := range map[string]struct {
		overrides []pinning.Override
		words     []string
	}{
		"onto another pin": {
			[]pinning.Override{{Kind: pinning.KindMap, Name: "flows", Path: "shared"}, {Kind: pinning.KindMap, Name: "total", Path: "shared"}},
			[]string{"map flows", "map total", "/shared"},
		},
		"onto another pin's parent": {
			[]pinning.Override{{Kind: pinning.KindMap, Name: "flows", Path: "a/b"}, {Kind: pinning.KindMap, Name: "total", Path: "a"}},
			[]string{"map flows", "map total"},
		},
		"onto the object's directory": {
			[]pinning.Override{{Kind: pinning.KindMap, Name: "flows", Path: "pinned"}},
			[]string{"map flows", "the directory of pinned"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			unchanged(t, root, func() {
				want(t, root.Pin(obj, &pinning.Options{Overrides: c.overrides}), pinning.ErrConflict, c.words...)
				_, err := root.Plan(parse(t, "pinned"), &pinning.Options{Overrides: c.overrides})
				want(t, err, pinning.ErrConflict, c.words...)
			})
		})
	}
	check(t, root.Pin(obj, nil))
	other := load(t, parse(t, "raw_tp"))
	unchanged(t, root, func() {
		err := root.Pin(other, &pinning.Options{Overrides: []pinning.Override{{Kind: pinning.KindMap, Name: ".bss", Path: "pinned/maps/x"}}})
		want(t, err, pinning.ErrConflict, "pinned object pinned", "map .bss")
	})
}

// TestG2PredictableAndG3OneRule: what Plan says is what is there, whoever pinned it: Load, Pin or Ensure.
func TestG2PredictableAndG3OneRule(t *testing.T) {
	root := newRoot(t)
	spec := parse(t, "pinned")
	plan, err := root.Plan(spec, nil)
	check(t, err)
	var planned []string
	for _, p := range plan {
		planned = append(planned, p.Place)
	}
	tree := []string{"pinned", "pinned/%record", "pinned/maps", "pinned/programs"}
	whole := slices.Sorted(slices.Values(append(slices.Clone(planned), tree...)))

	loaded, err := root.Load(spec, nil)
	loaded = kept(t, loaded, err)
	auto := []string{"pinned", "pinned/%record", "pinned/maps", "pinned/maps/flows", "pinned/maps/total"}
	if diff := cmp.Diff(auto, files(t, root)); diff != "" {
		t.Errorf("auto-pinned (-want +got):\n%s", diff)
	}
	second, err := root.Load(spec, nil)
	second = kept(t, second, err)
	for _, name := range []string{"flows", "total"} {
		if a, b := loaded.Map(name).ID(), second.Map(name).ID(); a != b {
			t.Errorf("auto-pinned map %s is %d, the next load has %d", name, a, b)
		}
	}
	check(t, root.Pin(second, nil))
	if diff := cmp.Diff(whole, files(t, root)); diff != "" {
		t.Errorf("pinned (-want +got):\n%s", diff)
	}
	check(t, root.Unpin("pinned", nil))
	ensured, err := root.Ensure(spec, nil)
	kept(t, ensured, err)
	if diff := cmp.Diff(whole, files(t, root)); diff != "" {
		t.Errorf("ensured (-want +got):\n%s", diff)
	}
}

func TestG4Overrides(t *testing.T) {
	root := newRoot(t)
	obj := load(t, parse(t, "pinned"))
	opts := &pinning.Options{Name: "other.name", Instance: "eth0", Overrides: []pinning.Override{
		{Kind: pinning.KindMap, Name: "flows", Path: "flows"},
		{Kind: pinning.KindMap, Name: "total", Path: root.Path() + "/deep/er/total"},
		{Kind: pinning.KindMap, Name: "scratch", Skip: true},
	}}
	check(t, root.Pin(obj, opts))
	if diff := cmp.Diff([]string{
		"deep", "deep/er", "deep/er/total", "flows",
		"other%2Ename@eth0", "other%2Ename@eth0/%record", "other%2Ename@eth0/programs", "other%2Ename@eth0/programs/count",
	}, files(t, root)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again, err := root.Open("other.name@eth0")
	again = kept(t, again, err)
	if again.Map("flows").ID() != obj.Map("flows").ID() || again.Map("scratch") != nil {
		t.Errorf("reopened: %v", ids(again))
	}
	check(t, root.Unpin("other.name@eth0", nil))
	if left := files(t, root); !slices.Equal(left, []string{"deep", "deep/er"}) {
		t.Errorf("left: %q", left)
	}
}

// TestG5AllOrNothing makes the last step of a pin fail: something foreign is in the tree's place.
func TestG5AllOrNothing(t *testing.T) {
	root := newRoot(t)
	obj := load(t, parse(t, "raw_tp"))
	check(t, obj.Attach())
	mkdir(t, root.Path()+"/flat")
	unchanged(t, root, func() {
		// The last of the pins outside the tree meets a directory, after everything else was pinned.
		err := root.Pin(obj, &pinning.Options{Overrides: []pinning.Override{
			{Kind: pinning.KindMap, Name: ".bss", Path: "made/bss"},
			{Kind: pinning.KindProgram, Name: "count_calls", Path: "flat"},
		}})
		want(t, err, pinning.ErrForeign, "program count_calls", "/flat")
	})
	unchanged(t, root, func() {
		_, err := root.Ensure(parse(t, "raw_tp"), &pinning.Options{Attach: func(*object.Object) error { return errors.New("no such target") }})
		if err == nil {
			t.Error("Ensure succeeded though attaching failed")
		}
	})
	if !counts(t, obj) {
		t.Error("a failed Pin detached the object's link")
	}
}

// TestG7CompleteReuse: the object comes back from its tree, still attached, and nothing is loaded or attached a second time.
func TestG7CompleteReuse(t *testing.T) {
	root := newRoot(t)
	opts := &pinning.Options{Attach: attachBySection}
	first, err := root.Ensure(parse(t, "raw_tp"), opts)
	check(t, err)
	made, calls := ids(first), counter(t, first)
	check(t, first.Close())
	systemCall()

	opened, err := root.Open("raw_tp")
	opened = kept(t, opened, err)
	if now := counter(t, opened); now <= calls {
		t.Errorf("the counter is %d, it was %d before all handles were closed", now, calls)
	}
	second, err := root.Ensure(parse(t, "raw_tp"), opts)
	second = kept(t, second, err)
	for _, obj := range []*object.Object{opened, second} {
		if diff := cmp.Diff(made, ids(obj)); diff != "" {
			t.Errorf("(-first +reopened):\n%s", diff)
		}
	}
	if n := countLinks(t, "count_calls"); n != 1 {
		t.Errorf("%d links run the program, want 1", n)
	}
	check(t, opened.Close())
	check(t, second.Close())
	check(t, root.Unpin("raw_tp", nil))
}

// TestG7DriftIsSeen replaces and removes pins behind the record's back.
func TestG7DriftIsSeen(t *testing.T) {
	root := newRoot(t)
	obj := load(t, parse(t, "pinned"))
	check(t, root.Pin(obj, nil))
	path := root.Path() + "/pinned/maps/flows"
	check(t, os.Remove(path))
	_, err := root.Open("pinned")
	want(t, err, pinning.ErrDrift, "map flows", "gone")
	state := func() pinning.State {
		status, err := root.Status("pinned")
		check(t, err)
		if !status.Drifted() {
			t.Error("no drift is reported")
		}
		i := slices.IndexFunc(status.Pins, func(p pinning.PinStatus) bool { return p.Name == "flows" })
		return status.Pins[i].State
	}
	if s := state(); s != pinning.StateGone {
		t.Errorf("state %v, want %v", s, pinning.StateGone)
	}
	pinFile(t, path)
	_, err = root.Open("pinned")
	want(t, err, pinning.ErrDrift, "map flows")
	if s := state(); s != pinning.StateReplaced {
		t.Errorf("state %v, want %v", s, pinning.StateReplaced)
	}
	unchanged(t, root, func() { want(t, root.Unpin("pinned", nil), pinning.ErrForeign, "map flows") })
	check(t, os.Remove(path))
	check(t, root.Unpin("pinned", nil))
}

// TestG7DetachedLinkIsSeen detaches a link that stays pinned: an agent that starts again must not believe that its object runs.
func TestG7DetachedLinkIsSeen(t *testing.T) {
	root, cgroup := newRoot(t), testenv.Cgroup(t)
	spec := parse(t, "counter")
	opts := &pinning.Options{Attach: func(obj *object.Object) error {
		dir, err := link.OpenCgroup(cgroup)
		check(t, err)
		defer dir.Close()
		_, err = obj.AttachTo("count_egress", "", link.Cgroup{Dir: dir, AttachType: sys.AttachTypeCgroupInetEgress})
		return err
	}}
	obj, err := root.Ensure(spec, opts)
	kept(t, obj, err)
	check(t, obj.Links()[0].Detach())
	_, err = root.Ensure(spec, &pinning.Options{})
	want(t, err, pinning.ErrUnattached, "link count_egress")
	status, err := root.Status("counter")
	check(t, err)
	if last := status.Pins[len(status.Pins)-1]; !status.Drifted() || last.State != pinning.StateDetached {
		t.Errorf("status of the link: %+v", last)
	}
	opened, err := root.Open("counter") // who wants to look can
	kept(t, opened, err)
	check(t, root.Unpin("counter", nil))
}

func TestG8ForeignFileWhereAPinShouldGo(t *testing.T) {
	root := newRoot(t)
	obj := load(t, parse(t, "pinned"))
	for name, make := range map[string]func(path string){
		"pin":           func(path string) { pinFile(t, path) },
		"directory":     func(path string) { mkdir(t, path) },
		"symbolic link": func(path string) { check(t, os.Symlink("/nowhere", path)) },
	} {
		t.Run(name, func(t *testing.T) {
			path := root.Path() + "/pinned"
			make(path)
			unchanged(t, root, func() {
				want(t, root.Pin(obj, nil), pinning.ErrForeign, path)
				_, err := root.Ensure(parse(t, "pinned"), nil)
				want(t, err, pinning.ErrForeign, path)
				want(t, root.Unpin("pinned", nil), pinning.ErrForeign, path)
				_, err = root.Open("pinned")
				want(t, err, pinning.ErrForeign, path)
			})
			check(t, os.Remove(path))
		})
	}
}

func TestG8ForeignFileInATree(t *testing.T) {
	root := newRoot(t)
	check(t, root.Pin(load(t, parse(t, "pinned")), nil))
	pinFile(t, root.Path()+"/pinned/maps/theirs")
	mkdir(t, root.Path()+"/pinned/extra")
	unchanged(t, root, func() {
		want(t, root.Unpin("pinned", nil), pinning.ErrForeign, "maps/theirs", "extra")
	})
	kept(t, first(root.Open("pinned")), nil)
	check(t, os.Remove(root.Path()+"/pinned/maps/theirs"))
	check(t, os.Remove(root.Path()+"/pinned/extra"))
	check(t, root.Unpin("pinned", nil))
}

func first(obj *object.Object, _ error) *object.Object { return obj }

// TestG8NoSymbolicLinkIsFollowed puts links where a directory or a pin was.
func TestG8NoSymbolicLinkIsFollowed(t *testing.T) {
	root := newRoot(t)
	check(t, root.Pin(load(t, parse(t, "pinned")), nil))
	maps := root.Path() + "/pinned/maps"
	check(t, os.Rename(maps, root.Path()+"/elsewhere"))
	check(t, os.Symlink("../elsewhere", maps))
	_, err := root.Open("pinned")
	want(t, err, pinning.ErrForeign)
	unchanged(t, root, func() { want(t, root.Unpin("pinned", nil), pinning.ErrForeign, "maps") })

	other := load(t, parse(t, "raw_tp"))
	check(t, os.Symlink("elsewhere", root.Path()+"/alias"))
	check(t, os.Symlink("pinned", root.Path()+"/twin"))
	if entries, err := root.List(); err != nil || len(entries) != 1 {
		t.Errorf("a link to an object is listed as one: %+v, %v", entries, err)
	}
	unchanged(t, root, func() {
		err := root.Pin(other, &pinning.Options{Overrides: []pinning.Override{{Kind: pinning.KindMap, Name: ".bss", Path: "alias/bss"}}})
		want(t, err, pinning.ErrForeign)
	})
}

func TestG8Modes(t *testing.T) {
	root := newRoot(t)
	check(t, root.Pin(load(t, parse(t, "pinned")), nil))
	for path, mode := range map[string]os.FileMode{
		"pinned": 0o700 | os.ModeDir, "pinned/maps": 0o700 | os.ModeDir, "pinned/maps/flows": 0o600, "pinned/programs/count": 0o600,
	} {
		info, err := os.Lstat(filepath.Join(root.Path(), path))
		check(t, err)
		if info.Mode() != mode {
			t.Errorf("%s has mode %v, want %v", path, info.Mode(), mode)
		}
	}
}

// TestG9NoSilentMismatch loads an object whose auto-pinned map is pinned with other attributes, and with another type of the same size.
func TestG9NoSilentMismatch(t *testing.T) {
	root := newRoot(t)
	pinned, err := root.Load(parse(t, "events_a"), &pinning.Options{Name: "events"})
	pinned = kept(t, pinned, err)
	events := pinned.Map("events")
	key, value := make([]byte, events.KeySize()), make([]byte, events.ValueSize())
	value[0] = 42
	check(t, events.Update(key, value, unix.BPF_ANY))

	same, err := root.Load(parse(t, "events_b"), &pinning.Options{Name: "events"})
	same = kept(t, same, err)
	if same.Map("events").ID() != events.ID() {
		t.Error("a map that fits was not reused")
	}
	for name, words := range map[string][]string{
		"events_b_big": {"events", "entries"},
		"events_btf":   {"events"},
	} {
		unchanged(t, root, func() {
			_, err := root.Load(parse(t, name), &pinning.Options{Name: "events"})
			want(t, err, object.ErrMismatch, words...)
		})
	}
	got := make([]byte, len(value))
	check(t, events.Lookup(key, got))
	if got[0] != 42 {
		t.Error("live data was overwritten")
	}
}

func TestFlatPathsAreShared(t *testing.T) {
	root := newRoot(t)
	ensure := func(file, name string) (*object.Object, error) {
		spec := parse(t, file)
		return root.Ensure(spec, &pinning.Options{Name: name, Overrides: pinning.Flat(spec)})
	}
	a, err := ensure("events_a", "a")
	a = kept(t, a, err)
	b, err := ensure("events_b", "b")
	b = kept(t, b, err)
	if a.Map("events").ID() != b.Map("events").ID() {
		t.Error("the map at the flat path is not shared")
	}
	check(t, root.Unpin("a", nil))
	if _, err := os.Lstat(root.Path() + "/events"); err != nil {
		t.Errorf("unpinning one object took the shared map of another: %v", err)
	}
	opened, err := root.Open("b")
	kept(t, opened, err)
	unchanged(t, root, func() {
		_, err := ensure("events_b_big", "c")
		want(t, err, object.ErrMismatch, "events")
	})
}

func TestInstancesDoNotMeet(t *testing.T) {
	root := newRoot(t)
	spec := parse(t, "events_a")
	seen := make(map[uint32]bool)
	for _, opts := range []*pinning.Options{{}, {Instance: "eth0"}, {Instance: "eth1"}, {Name: "events_a@eth0"}, {Name: "events_a@eth0", Instance: "eth0"}} {
		obj, err := root.Ensure(spec, opts)
		obj = kept(t, obj, err)
		seen[obj.Map("events").ID()] = true
	}
	if len(seen) != 5 {
		t.Errorf("5 pins have %d maps", len(seen))
	}
	entries, err := root.List()
	check(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
		check(t, e.Err)
		check(t, root.Unpin(e.Name, nil))
	}
	if diff := cmp.Diff([]string{"events_a", "events_a%40eth0", "events_a%40eth0@eth0", "events_a@eth0", "events_a@eth1"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestEnsureRefusesAnotherBuildIfAsked asks for that.
func TestEnsureRefusesAnotherBuildIfAsked(t *testing.T) {
	root := newRoot(t)
	spec := parse(t, "raw_tp")
	obj, err := root.Ensure(spec, nil)
	obj = kept(t, obj, err)
	before := maps.Clone(ids(obj))
	check(t, spec.Variable("group").Set([]byte{1, 0, 0, 0}))
	_, err = root.Ensure(spec, &pinning.Options{NoUpgrade: true})
	want(t, err, pinning.ErrDifferent, "other settings")
	_, err = root.Ensure(parse(t, "many"), &pinning.Options{Name: "raw_tp", NoUpgrade: true})
	want(t, err, pinning.ErrDifferent, "another ELF file")
	again, err := root.Open("raw_tp")
	again = kept(t, again, err)
	if diff := cmp.Diff(before, ids(again)); diff != "" {
		t.Errorf("the pinned object changed:\n%s", diff)
	}
	want(t, root.Pin(load(t, parse(t, "raw_tp")), nil), pinning.ErrExist, "raw_tp")
}
