package pinning_test

import (
	"encoding/binary"
	"errors"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/sys"
)

// toCgroup gives options that attach every program to a cgroup of the test's.
func toCgroup(t testing.TB, cgroup string) *pinning.Options {
	return &pinning.Options{Name: "counter", Attach: func(obj *object.Object) error {
		dir, err := link.OpenCgroup(cgroup)
		check(t, err)
		defer dir.Close()
		return attachAll(obj, dir)
	}}
}

// actions gives what a plan does with each thing, in one word each.
func actions(plan *pinning.UpgradePlan) map[string]string {
	all := make(map[string]string)
	for i := range plan.Steps {
		s := &plan.Steps[i]
		all[s.Thing().String()] = s.Action.String()
		if s.Gap != pinning.GapNone {
			all[s.Thing().String()] += ", " + s.Gap.String()
		}
	}
	return all
}

// migrating adds to options that .bss is migrated, and that the plan is kept.
func migrating(opts *pinning.Options, did *pinning.UpgradePlan) *pinning.Options {
	with := *opts
	with.Upgrade = &pinning.UpgradeOptions{
		Maps: []pinning.MapPolicy{{Name: ".bss", Migrate: pinning.Migrate(nil)}},
		Did:  func(plan *pinning.UpgradePlan) { *did = *plan },
	}
	return &with
}

func packet(t testing.TB, obj *object.Object, n uint64) {
	t.Helper()
	check(t, obj.Map("packets").Update(make([]byte, 4), binary.NativeEndian.AppendUint64(nil, n), 0))
}

func packets(t testing.TB, obj *object.Object) uint64 {
	t.Helper()
	value := make([]byte, 8)
	check(t, obj.Map("packets").Lookup(make([]byte, 4), value))
	return binary.NativeEndian.Uint64(value)
}

// variable reads a global variable of a new build.
func variable(t testing.TB, obj *object.Object, spec *object.Spec, name string) uint64 {
	t.Helper()
	v := spec.Variable(name)
	m := obj.Map(v.Map().Name)
	value := make([]byte, m.ValueSize())
	check(t, m.Lookup(make([]byte, 4), value))
	return binary.NativeEndian.Uint64(value[v.Offset():])
}

func TestG11UpgradeSwitchesLinksInPlace(t *testing.T) {
	root, cgroup := newRoot(t), testenv.Cgroup(t)
	opts := toCgroup(t, cgroup)
	old, err := root.Ensure(parse(t, "counter"), opts)
	old = kept(t, old, err)
	packet(t, old, 41)
	check(t, old.Map(".bss").Update(make([]byte, 4), binary.NativeEndian.AppendUint64(nil, 7), 0))
	var did pinning.UpgradePlan
	spec := parse(t, "counter_v2")
	obj, err := root.Ensure(spec, migrating(opts, &did))
	obj = kept(t, obj, err)
	if diff := cmp.Diff(map[string]string{
		"map .bss": "migrate", "map .rodata": "recreate", "map packets": "keep", "map sockets": "new",
		"program count_egress": "new", "program count_ingress": "new", "program count_sockets": "new",
		"link count_egress@cgroup": "switch", "link count_ingress@cgroup": "switch", "link count_sockets@cgroup": "attach",
	}, actions(&did)); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if n := packets(t, obj); n != 41 {
		t.Errorf("the map has %d, want 41", n)
	}
	if n := variable(t, obj, spec, "bytes"); n < 7 {
		t.Errorf("variable bytes is %d, want at least 7", n)
	}
	for _, name := range []string{"count_egress", "count_ingress"} {
		if a, b := old.Link(name, "cgroup").ID(), obj.Link(name, "cgroup").ID(); a != b {
			t.Errorf("link %s was %d, is %d", name, a, b)
		}
	}
	whole(t, root, "counter", obj)
	if did.From != 1 || did.To != 2 || did.Same || len(did.Left) > 0 {
		t.Errorf("plan: %+v", did)
	}
	check(t, root.Unpin("counter", nil))
}

// whole checks that an object is pinned, has drifted in nothing, and is what the handles are of; and that nothing is left beside it.
func whole(t testing.TB, root *pinning.Root, name string, obj *object.Object) {
	t.Helper()
	status, err := root.Status(name)
	check(t, err)
	if status.Drifted() {
		t.Errorf("drifted: %+v", status.Pins)
	}
	again, err := root.Open(name)
	check(t, err)
	defer again.Close()
	if diff := cmp.Diff(ids(obj), ids(again)); diff != "" {
		t.Errorf("-handles +pinned:\n%s", diff)
	}
	for _, file := range files(t, root) {
		if file[0] == '%' {
			t.Errorf("left: %s", file)
		}
	}
	changed, err := root.Changed(obj)
	check(t, err)
	if changed {
		t.Error("says that the object changed")
	}
}

func TestG11FailedUpgradeChangesNothing(t *testing.T) {
	root, cgroup := newRoot(t), testenv.Cgroup(t)
	opts := toCgroup(t, cgroup)
	old, err := root.Ensure(parse(t, "counter"), opts)
	old = kept(t, old, err)
	var did pinning.UpgradePlan
	failing := migrating(opts, &did)
	failed := errors.New("failed on purpose")
	failing.Attach = func(obj *object.Object) error {
		check(t, opts.Attach(obj))
		return failed
	}
	for _, c := range []struct {
		opts *pinning.Options
		want error
	}{{failing, failed}, {opts, object.ErrMismatch}} {
		unchanged(t, root, func() {
			_, err := root.Upgrade(parse(t, "counter_v2"), c.opts)
			want(t, err, c.want, "counter")
		})
		whole(t, root, "counter", old)
	}
	if did.To != 0 {
		t.Errorf("it was done: %+v", did)
	}
	check(t, root.Unpin("counter", nil))
}

func TestUpgradeOfTheSameBuildDoesNothing(t *testing.T) {
	root := newRoot(t)
	opts := &pinning.Options{Attach: attachBySection}
	old, err := root.Ensure(parse(t, "raw_tp"), opts)
	old = kept(t, old, err)
	var did pinning.UpgradePlan
	opts.Upgrade = &pinning.UpgradeOptions{Did: func(plan *pinning.UpgradePlan) { did = *plan }}
	obj, err := root.Upgrade(parse(t, "raw_tp"), opts)
	obj = kept(t, obj, err)
	if !did.Same || did.From != 1 || did.To != 1 {
		t.Errorf("plan: %+v", did)
	}
	if diff := cmp.Diff(ids(old), ids(obj)); diff != "" {
		t.Errorf("-old +new:\n%s", diff)
	}
	whole(t, root, "raw_tp", obj)
	_, err = root.Upgrade(parse(t, "counter"), nil)
	want(t, err, pinning.ErrNotExist, "counter")
	check(t, errors.Join(old.Close(), obj.Close()))
	check(t, root.Unpin("raw_tp", nil))
}

// TestG11UpgradeAttachesBeside is about a kind of link that cannot be switched: with and without a function that attaches it.
func TestG11UpgradeAttachesBeside(t *testing.T) {
	for name, attach := range map[string]func(*object.Object) error{"by section": attachBySection, "as before": nil} {
		t.Run(name, func(t *testing.T) {
			root := newRoot(t)
			spec := parse(t, "raw_tp")
			old, err := root.Ensure(spec, &pinning.Options{Attach: attachBySection})
			old = kept(t, old, err)
			check(t, spec.Variable("group").Set([]byte{1, 0, 0, 0}))
			plan, err := root.PlanUpgrade(spec, &pinning.Options{Attach: attach})
			check(t, err)
			var did pinning.UpgradePlan
			obj, err := root.Upgrade(spec, &pinning.Options{Attach: attach, Upgrade: &pinning.UpgradeOptions{
				Did: func(plan *pinning.UpgradePlan) { did = *plan },
			}})
			obj = kept(t, obj, err)
			steps := map[string]string{"map .bss": "keep", "program count_calls": "same", "link count_calls": "attach, double"}
			if diff := cmp.Diff(steps, actions(plan)); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(steps, actions(&did)); diff != "" {
				t.Errorf("done (-want +got):\n%s", diff)
			}
			check(t, old.Close())
			if n, counted := countLinks(t, "count_calls"), counts(t, obj); n != 1 || !counted {
				t.Errorf("%d links run the program, want 1; it counts: %t", n, counted)
			}
			whole(t, root, "raw_tp", obj)
			check(t, obj.Close())
			check(t, root.Unpin("raw_tp", nil))
		})
	}
}

func TestRollback(t *testing.T) {
	root, cgroup := newRoot(t), testenv.Cgroup(t)
	opts := toCgroup(t, cgroup)
	old, err := root.Ensure(parse(t, "counter"), opts)
	old = kept(t, old, err)
	_, err = root.Rollback("counter", nil)
	want(t, err, pinning.ErrNoPrevious, "KeepOld")
	first := maps.Clone(ids(old))
	var did pinning.UpgradePlan
	keeping := migrating(opts, &did)
	keeping.Upgrade.KeepOld = true
	obj, err := root.Upgrade(parse(t, "counter_v2"), keeping)
	obj = kept(t, obj, err)
	whole(t, root, "counter", obj)
	second := maps.Clone(ids(obj))
	back, err := root.Rollback("counter", &pinning.Options{Upgrade: &pinning.UpgradeOptions{KeepOld: true}})
	back = kept(t, back, err)
	whole(t, root, "counter", back)
	if diff := cmp.Diff(first, ids(back)); diff != "" {
		t.Errorf("rolled back (-before +after):\n%s", diff)
	}
	_, err = root.Rollback("counter", nil)
	want(t, err, pinning.ErrUnattached, "count_sockets")
	whole(t, root, "counter", back)
	forth, err := root.Rollback("counter", byName(t, cgroup))
	forth = kept(t, forth, err)
	whole(t, root, "counter", forth)
	now := ids(forth)
	delete(now, "link count_sockets@cgroup")
	delete(second, "link count_sockets@cgroup")
	if diff := cmp.Diff(second, now); diff != "" {
		t.Errorf("forth again (-before +after):\n%s", diff)
	}
	status, err := root.Status("counter")
	check(t, err)
	if status.Record.Generation != 4 || status.Previous != nil {
		t.Errorf("generation %d, previous %v", status.Record.Generation, status.Previous)
	}
	check(t, root.Unpin("counter", nil))
}

// byName attaches by the names of the programs, as an object that came back from its pins has no spec.
func byName(t testing.TB, cgroup string) *pinning.Options {
	return &pinning.Options{Attach: func(obj *object.Object) error {
		dir, err := link.OpenCgroup(cgroup)
		check(t, err)
		defer dir.Close()
		for name, where := range map[string]sys.AttachType{
			"count_ingress": sys.AttachTypeCgroupInetIngress,
			"count_egress":  sys.AttachTypeCgroupInetEgress,
			"count_sockets": sys.AttachTypeCgroupInetSockCreate,
		} {
			if _, err := obj.AttachTo(name, "cgroup", link.Cgroup{Dir: dir, AttachType: where}); err != nil {
				return err
			}
		}
		return nil
	}}
}
