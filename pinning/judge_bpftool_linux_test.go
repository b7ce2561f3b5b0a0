package pinning_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/sys"
)

// tellsPin is what bpftool tells about a map, a program or a link, so far as it is looked at here.
type tellsPin struct {
	ID        uint32   `json:"id"`
	Type      string   `json:"type"`
	Name      string   `json:"name"`    // of maps and programs
	ProgramID uint32   `json:"prog_id"` // of links
	Pinned    []string `json:"pinned"`  // with -f: every path on every bpffs
}

// bpftool has bpftool write JSON.
func bpftool[T any](t testing.TB, arguments ...string) (told T) {
	t.Helper()
	said, err := exec.Command("bpftool", append([]string{"-j"}, arguments...)...).Output()
	if err != nil {
		t.Fatalf("bpftool %q: %v\n%s", arguments, err, said)
	}
	if err := json.Unmarshal(said, &told); err != nil {
		t.Fatalf("bpftool %q says %q: %v", arguments, said, err)
	}
	return told
}

// bpftoolKind is how bpftool's command for a kind of pin is called.
func bpftoolKind(k pinning.Kind) string {
	if k == pinning.KindProgram {
		return "prog"
	}
	return k.String()
}

// attachToCgroup attaches every program of the test object counter to a cgroup, each to its own hook.
func attachToCgroup(t testing.TB) func(*object.Object) error {
	t.Helper()
	dir, err := link.OpenCgroup(testenv.Cgroup(t))
	check(t, err)
	t.Cleanup(func() { check(t, dir.Close()) })
	return func(obj *object.Object) error { return attachAll(obj, dir) }
}

// TestBpftoolSeesOurPins has bpftool open every path that we say is pinned, and look for it from the other side, among all pins of the machine.
func TestBpftoolSeesOurPins(t *testing.T) {
	testenv.Host(t, "bpftool")
	for _, c := range []struct {
		name      string
		attach    func(*object.Object) error
		overrides []pinning.Override
		links     int
	}{
		{"raw_tp", attachBySection, nil, 1},
		{"counter", attachToCgroup(t), nil, 2},
		{"long_names", nil, nil, 0},
		{"dots", nil, nil, 0},
		{"tailcall", nil, nil, 0},
		{"pinned", nil, []pinning.Override{{Kind: pinning.KindMap, Name: "flows", Path: "flat/flows"}}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var made []*object.Map
			t.Cleanup(func() { waitForEnd(t, made) })
			root, spec := newRoot(t), parse(t, c.name)
			opts := &pinning.Options{Attach: c.attach, Overrides: c.overrides}
			obj, err := root.Ensure(spec, opts)
			obj = kept(t, obj, err)
			made = obj.Maps()
			status, err := root.Status(c.name)
			check(t, err)
			if n := len(obj.Maps()) + len(obj.Programs()) + c.links; len(status.Pins) != n || len(obj.Links()) != c.links {
				t.Fatalf("%d pins, %d of them links, want %d and %d", len(status.Pins), len(obj.Links()), n, c.links)
			}
			for _, p := range status.Pins {
				comparePin(t, obj, p)
			}
			comparePlan(t, root, spec, opts, status)
		})
	}
}

// waitForEnd waits until the kernel has none of the maps any more. Whoever opens an ending program array by its id, as bpftool does when it
// shows all, makes it end twice, and Linux 6.18 then never frees it: prog_array_map_clear takes a reference for each, and one work item gives
// one back.
func waitForEnd(t testing.TB, maps []*object.Map) {
	t.Helper()
	for _, m := range maps {
		there := func() bool {
			next := sys.GetIDAttr{StartID: m.ID() - 1}
			return sys.MapGetNextID(&next) == nil && next.NextID == m.ID()
		}
		for deadline := time.Now().Add(10 * time.Second); there(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("map %s, id %d, is not freed", m.Name(), m.ID())
			}
		}
	}
}

// comparePin compares what bpftool finds at a pin's path with our handle of the thing.
func comparePin(t *testing.T, obj *object.Object, p pinning.PinStatus) {
	t.Helper()
	var want tellsPin
	switch p.Kind {
	case pinning.KindMap:
		m := obj.Map(p.Name)
		want = tellsPin{ID: m.ID(), Type: m.Type().String(), Name: p.Name[:min(len(p.Name), 15)]} // all that the kernel keeps
	case pinning.KindProgram:
		prog := obj.Program(p.Name)
		// The kernel has as little of its name, but bpftool finds the rest in the BTF that we loaded with it.
		want = tellsPin{ID: prog.ID(), Type: prog.Type().String(), Name: p.Name}
	case pinning.KindLink:
		l := obj.Link(p.Name, p.Target)
		want = tellsPin{ID: l.ID(), Type: l.Type().String(), ProgramID: obj.Program(p.Name).ID()}
	}
	got := bpftool[tellsPin](t, bpftoolKind(p.Kind), "show", "pinned", p.Path)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s at %s (-want +bpftool):\n%s", p.String(), p.Path, diff)
	}
	all := bpftool[[]tellsPin](t, "-f", bpftoolKind(p.Kind), "show")
	i := slices.IndexFunc(all, func(one tellsPin) bool { return one.ID == want.ID })
	if i < 0 || !slices.Equal(all[i].Pinned, []string{p.Path}) {
		t.Errorf("of %s, pinned at %s alone, bpftool -f tells %+v", p.String(), p.Path, all[max(i, 0):min(i+1, len(all))])
	}
}

// comparePlan wants every path of the plan among the pins, which bpftool has seen, and no other. A link's target is known only when
// it is attached.
func comparePlan(t *testing.T, root *pinning.Root, spec *object.Spec, opts *pinning.Options, status *pinning.Status) {
	t.Helper()
	plan, err := root.Plan(spec, opts)
	check(t, err)
	var planned, pinned []string
	for _, p := range plan {
		if p.Kind != pinning.KindLink {
			planned = append(planned, p.Path)
		}
	}
	for _, p := range status.Pins {
		if p.Kind != pinning.KindLink {
			pinned = append(pinned, p.Path)
		}
	}
	slices.Sort(planned)
	slices.Sort(pinned)
	if diff := cmp.Diff(planned, pinned); diff != "" {
		t.Errorf("(-planned +pinned):\n%s", diff)
	}
}
