package pinning_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/sys"
)

// kind is a kind of link, with a test object that has programs for it.
type kind struct {
	name    string
	version string // of the first kernel that has such links
	object  string
	attach  func(t *testing.T) func(*object.Object) error
	steps   map[string]string // of the links that there are then
}

var linkKinds = []kind{
	{"cgroup", "5.10", "counter", attachCgroup, map[string]string{"link count_ingress@cgroup": "switch", "link count_egress@cgroup": "switch"}},
	{"XDP", "5.10", "xdp", attachXDP, map[string]string{"link xdp_count@lo": "switch"}},
	{"TCX", "6.6", "tcx", attachTCX, map[string]string{"link count_received@lo": "switch", "link count_sent@lo": "switch"}},
	{"network namespace", "5.10", "sk_lookup", attachNetns, map[string]string{"link count_lookups": "switch"}},
	{"iterator", "5.10", "iter", bySection, map[string]string{"link list_maps": "switch", "link list_tasks": "switch"}},
	{"raw tracepoint", "5.10", "raw_tp", bySection, map[string]string{"link count_calls": "attach, double"}},
	{"tracepoint", "5.15", "tracepoint", attachTracepoints, map[string]string{"link count_enters": "attach, double", "link count_exits": "attach, double"}},
}

func bySection(*testing.T) func(*object.Object) error { return attachBySection }

func attachCgroup(t *testing.T) func(*object.Object) error {
	return toCgroup(t, testenv.Cgroup(t)).Attach
}

func attachXDP(t *testing.T) func(*object.Object) error {
	lo := testenv.Netns(t)
	return func(obj *object.Object) error {
		_, err := obj.AttachTo("xdp_count", "lo", link.XDP{Ifindex: lo, Mode: link.XDPGeneric})
		return err
	}
}

func attachTCX(t *testing.T) func(*object.Object) error {
	lo := testenv.Netns(t)
	return func(obj *object.Object) error {
		for name, at := range map[string]sys.AttachType{"count_received": sys.AttachTypeTCXIngress, "count_sent": sys.AttachTypeTCXEgress} {
			if _, err := obj.AttachTo(name, "lo", link.TCX{Ifindex: lo, AttachType: at}); err != nil {
				return err
			}
		}
		return nil
	}
}

func attachNetns(t *testing.T) func(*object.Object) error {
	testenv.Netns(t)
	return func(obj *object.Object) error {
		namespace, err := sys.OpenDirAt(nil, "/proc/thread-self/ns")
		if err != nil {
			return err
		}
		defer namespace.Close()
		net, err := openFile(namespace, "net")
		if err != nil {
			return err
		}
		defer net.Close()
		_, err = obj.AttachTo("count_lookups", "", link.Netns{FD: net, AttachType: sys.AttachTypeSKLookup})
		return err
	}
}

func attachTracepoints(t *testing.T) func(*object.Object) error {
	testenv.Tracefs(t)
	return attachBySection
}

// varied reads a test object and changes the first value of its global data, so that it is another build.
func varied(t testing.TB, name string) *object.Spec {
	t.Helper()
	spec := parse(t, name)
	for _, m := range spec.Maps {
		if m.Data != nil {
			m.Data[0] ^= 1
			return spec
		}
	}
	t.Fatalf("%s has no global data", name)
	return nil
}

// linkSteps gives what a plan does with links.
func linkSteps(plan *pinning.UpgradePlan) map[string]string {
	links := actions(plan)
	for thing := range links {
		if thing[:5] != "link " {
			delete(links, thing)
		}
	}
	return links
}

// TestUpgradeEveryKindOfLink: the plan says what becomes of each, and then exactly one link runs each new program.
func TestUpgradeEveryKindOfLink(t *testing.T) {
	for _, k := range linkKinds {
		t.Run(k.name, func(t *testing.T) {
			testenv.Kernel(t, k.version, k.name+" links")
			root := newRoot(t)
			types, err := object.RunningKernel()
			check(t, err)
			opts := &pinning.Options{Attach: k.attach(t), Load: &object.LoadOptions{KernelTypes: types}}
			old, err := root.Ensure(parse(t, k.object), opts)
			check(t, err)
			before := ids(old)
			check(t, old.Close()) // a link that cannot be detached would live on with a handle
			spec := varied(t, k.object)
			plan, err := root.PlanUpgrade(spec, opts)
			check(t, err)
			if diff := cmp.Diff(k.steps, linkSteps(plan)); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
			var did pinning.UpgradePlan
			opts.Upgrade = &pinning.UpgradeOptions{Did: func(plan *pinning.UpgradePlan) { did = *plan }}
			obj, err := root.Upgrade(spec, opts)
			obj = kept(t, obj, err)
			if diff := cmp.Diff(k.steps, linkSteps(&did)); diff != "" || len(did.Left) > 0 {
				t.Errorf("done (-want +got):\n%s\nleft: %q", diff, did.Left)
			}
			for _, l := range obj.Links() {
				k.checkLink(t, obj, l, before)
			}
			if len(obj.Links()) != len(k.steps) {
				t.Errorf("%d links, want %d", len(obj.Links()), len(k.steps))
			}
			whole(t, root, k.object, obj)
			check(t, obj.Close())
			check(t, root.Unpin(k.object, nil))
		})
	}
}

// TestG11RoomForOne is about a hook that takes one program, whose link can neither be switched nor have another one beside it.
func TestG11RoomForOne(t *testing.T) {
	testenv.Kernel(t, "5.15", "links of perf events")
	event, err := link.OpenEvent(link.Event{Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_CPU_CLOCK, TID: unix.Gettid(), CPU: -1})
	check(t, err)
	t.Cleanup(func() { check(t, event.Close()) })
	root := newRoot(t)
	opts := &pinning.Options{Attach: func(obj *object.Object) error {
		_, err := obj.AttachTo("count_samples", "clock", link.PerfEvent{FD: event})
		return err
	}}
	old, err := root.Ensure(parse(t, "perf_event"), opts)
	old = kept(t, old, err)
	spec := parse(t, "perf_event")
	spec.Program("count_samples").Flags |= unix.BPF_F_TEST_STATE_FREQ // so it is another build
	unchanged(t, root, func() {
		_, err := root.Upgrade(spec, opts)
		want(t, err, unix.EEXIST, "count_samples", "open another")
	})
	whole(t, root, "perf_event", old)
	check(t, old.Close())
	check(t, root.Unpin("perf_event", nil))
}

// checkLink checks that a link runs the new program, alone, and is the old one if that was switched.
func (k *kind) checkLink(t *testing.T, obj *object.Object, l *object.Link, before map[string]uint32) {
	t.Helper()
	thing := "link " + l.Program() + "@" + l.Target()
	runs, attached, err := l.State()
	check(t, err)
	program := obj.Program(l.Program()).ID()
	if !attached || runs != program || program == before["program "+l.Program()] {
		t.Errorf("%s is attached: %t, and runs program %d; the new one is %d, and was %d", thing, attached, runs, program, before["program "+l.Program()])
	}
	switched := k.steps[pinning.Thing{Kind: pinning.KindLink, Name: l.Program(), Target: l.Target()}.String()] == "switch"
	if same := l.ID() == before[thing]; same != switched {
		t.Errorf("%s has id %d, and had %d", thing, l.ID(), before[thing])
	}
	if n := countLinks(t, l.Program()); n != 1 {
		t.Errorf("%s: %d links run programs of that name, want 1", thing, n)
	}
}
