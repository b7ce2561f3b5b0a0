package pinning_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
)

// TestTwoObjectsWithEquallyNamedMaps: libbpf gives both objects one map, or refuses the second one if the maps differ. Here each has its own,
// whether the maps are pinned by name or with the whole.
func TestTwoObjectsWithEquallyNamedMaps(t *testing.T) {
	for name, open := range map[string]func(*pinning.Root, *object.Spec, *pinning.Options) (*object.Object, error){
		"Load": (*pinning.Root).Load, "Ensure": (*pinning.Root).Ensure,
	} {
		t.Run(name, func(t *testing.T) {
			root := newRoot(t)
			seen := make(map[uint32]string)
			for _, object := range []string{"events_a", "events_b", "events_b_big"} {
				obj, err := open(root, parse(t, object), nil)
				obj = kept(t, obj, err)
				id := obj.Map("events").ID()
				if other := seen[id]; other != "" {
					t.Errorf("%s has the map of %s", object, other)
				}
				seen[id] = object
				if !slices.Contains(files(t, root), object+"/maps/events") {
					t.Errorf("%s has no map in its tree", object)
				}
				again, err := open(root, parse(t, object), nil)
				again = kept(t, again, err)
				if again.Map("events").ID() != id {
					t.Errorf("%s has another map when it is opened again", object)
				}
			}
		})
	}
}

// TestMapAndSectionThatDifferInDotAndUnderscore: libbpf turns '.' into '_' and pins both at one path, or a map where a program is to go.
func TestMapAndSectionThatDifferInDotAndUnderscore(t *testing.T) {
	root := newRoot(t)
	for _, c := range []struct {
		object string
		paths  []string
	}{
		{"dots", []string{
			"maps/%2Edata%2Ea%2Eb", "maps/%2Edata%2Ea_b", "maps/%2Edata%2Efoo", "maps/_data_foo", "programs/data_foo",
		}},
		{"dots_program", []string{"maps/%2Edata%2Efoo", "programs/_data_foo"}},
	} {
		obj, err := root.Ensure(parse(t, c.object), nil)
		obj = kept(t, obj, err)
		status, err := root.Status(c.object)
		check(t, err)
		var paths []string
		for _, p := range status.Pins {
			path, err := filepath.Rel(filepath.Join(root.Path(), c.object), p.Path)
			check(t, err)
			paths = append(paths, path)
			if p.Kind == pinning.KindMap && obj.Map(p.Name).ID() != p.ID {
				t.Errorf("%s has map %d at %s, and %d in the object", c.object, p.ID, path, obj.Map(p.Name).ID())
			}
		}
		slices.Sort(paths)
		if diff := cmp.Diff(c.paths, paths); diff != "" {
			t.Errorf("%s (-want +pinned):\n%s", c.object, diff)
		}
	}
}

// TestOverrideOntoAPinOfAnotherObject: an override may not take, enclose or lie inside what another object, or somebody else, has pinned.
func TestOverrideOntoAPinOfAnotherObject(t *testing.T) {
	root := newRoot(t)
	check(t, root.Pin(load(t, parse(t, "pinned")), &pinning.Options{
		Overrides: []pinning.Override{{Kind: pinning.KindMap, Name: "flows", Path: "both/flows"}},
	}))
	mkdir(t, root.Path()+"/theirs")
	pinFile(t, root.Path()+"/theirs/map")
	obj := load(t, parse(t, "raw_tp"))
	for _, c := range []struct {
		name     string
		path     string
		is       error
		claimant string
	}{
		{"its path", "both/flows", pinning.ErrExist, "/both/flows is a map"},
		{"its parent", "both", pinning.ErrForeign, "/both"},
		{"inside it", "both/flows/bss", pinning.ErrForeign, "/both/flows/bss"},
		{"its tree", "pinned/bss", pinning.ErrConflict, "the pinned object pinned"},
		{"a foreign pin", "theirs/map", pinning.ErrExist, "/theirs/map is a map"},
		{"a foreign directory", "theirs", pinning.ErrForeign, "/theirs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, o := range []pinning.Override{{Kind: pinning.KindMap, Name: ".bss"}, {Kind: pinning.KindProgram, Name: "count_calls"}} {
				o.Path = c.path
				unchanged(t, root, func() {
					err := root.Pin(obj, &pinning.Options{Overrides: []pinning.Override{o}})
					want(t, err, c.is, o.Kind.String()+" "+o.Name, c.claimant)
				})
			}
		})
	}
	kept(t, first(root.Open("pinned")), nil)
}

// TestRootNotOnBPFFS: the error says what to mount, and nothing is made.
func TestRootNotOnBPFFS(t *testing.T) {
	testenv.Root(t)
	tmpfs := t.TempDir()
	check(t, unix.Mount("tmpfs", tmpfs, "tmpfs", 0, ""))
	t.Cleanup(func() { check(t, unix.Unmount(tmpfs, 0)) })
	for _, dir := range []string{tmpfs, t.TempDir(), "/proc"} {
		_, err := pinning.OpenRoot(dir)
		want(t, err, pinning.ErrNotBPFFS, "open root "+dir, "mount -t bpf bpffs "+dir)
		_, err = pinning.CreateRoot(dir + "/below")
		want(t, err, pinning.ErrNotBPFFS, "create root "+dir+"/below", "mount -t bpf bpffs "+dir)
	}
	left, err := filepath.Glob(tmpfs + "/*")
	check(t, err)
	if len(left) > 0 {
		t.Errorf("made %q", left)
	}
}

// TestRootOnAPathWithADot: the kernel refuses dots in names on a bpffs, not in those above its mount, which libbpf changes all the same.
func TestRootOnAPathWithADot(t *testing.T) {
	dir := testenv.BPFFSAt(t, filepath.Join(t.TempDir(), "bpf.d"))
	for _, path := range []string{dir, dir + "/agent"} {
		root, err := pinning.CreateRoot(path)
		check(t, err)
		defer root.Close()
		opts := &pinning.Options{Attach: attachBySection, Overrides: []pinning.Override{{Kind: pinning.KindMap, Name: ".bss", Path: path + "/flat/bss"}}}
		obj, err := root.Ensure(parse(t, "raw_tp"), opts)
		check(t, err)
		made := ids(obj)
		check(t, obj.Close())
		again, err := root.Open("raw_tp")
		check(t, err)
		if diff := cmp.Diff(made, ids(again)); diff != "" {
			t.Errorf("(-made +opened):\n%s", diff)
		}
		if got := obj.Map(".bss").ID(); got != again.Map(".bss").ID() {
			t.Errorf("the override has map %d, want %d", again.Map(".bss").ID(), got)
		}
		check(t, again.Close())
		check(t, root.Unpin("raw_tp", nil))
	}
}

// TestLoadElsewhereKeepsWhatIsPinned loads an object whose auto-pinned maps are pinned, with another path for one of them: that would be
// another map, and the pinned one must not go.
func TestLoadElsewhereKeepsWhatIsPinned(t *testing.T) {
	root := newRoot(t)
	spec := parse(t, "pinned")
	obj, err := root.Load(spec, nil)
	kept(t, obj, err)
	unchanged(t, root, func() {
		_, err := root.Load(spec, &pinning.Options{Overrides: []pinning.Override{{Kind: pinning.KindMap, Name: "flows", Path: "elsewhere"}}})
		want(t, err, pinning.ErrExist, "map flows")
	})
}
