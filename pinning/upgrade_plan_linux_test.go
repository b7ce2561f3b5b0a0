package pinning_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
)

// untouched checks that a call changed neither files nor the object that is pinned.
func untouched(t testing.TB, root *pinning.Root, name string, obj *object.Object, call func()) {
	t.Helper()
	before, status := accessOf(t, root, name), statusOf(t, root, name)
	unchanged(t, root, call)
	if diff := cmp.Diff(before, accessOf(t, root, name)); diff != "" {
		t.Errorf("files (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(status, statusOf(t, root, name)); diff != "" {
		t.Errorf("status (-before +after):\n%s", diff)
	}
	whole(t, root, name, obj)
}

func statusOf(t testing.TB, root *pinning.Root, name string) *pinning.Status {
	t.Helper()
	status, err := root.Status(name)
	check(t, err)
	return status
}

// TestPlanUpgrade: the whole plan, with what does not fit and both values of it, for each policy. It changes nothing.
func TestPlanUpgrade(t *testing.T) {
	root, o, obj := newSessions(t)
	variables := []object.Difference{{
		Field: "BTF of value", Want: `datasec ".bss"`, Have: `datasec ".bss" (datasec .bss: var latest, not var retired)`,
	}}
	fields := []object.Difference{
		{Field: "max entries", Want: "64", Have: "32"},
		{Field: "value size", Want: "16", Have: "8"},
		{Field: "BTF of value", Want: `struct "session"`, Have: `struct "session" (struct session: has a member "protocol", and should have only 1)`},
	}
	code := []pinning.UpgradeStep{
		{Kind: pinning.KindProgram, Name: "count", Action: pinning.ActionNew},
		{Kind: pinning.KindLink, Name: "count", Target: "cgroup", Action: pinning.ActionSwitch},
	}
	const bss, hash = ".bss", "sessions"
	for name, c := range map[string]struct {
		policies []pinning.MapPolicy
		maps     []pinning.UpgradeStep
		refused  int
	}{
		"none": {nil, []pinning.UpgradeStep{
			{Kind: pinning.KindMap, Name: bss, Action: pinning.ActionRefuse, Why: "does not fit", Fields: variables},
			{Kind: pinning.KindMap, Name: hash, Action: pinning.ActionRefuse, Why: "does not fit", Fields: fields},
		}, 2},
		"migrate, and any size": {[]pinning.MapPolicy{{Name: bss, Migrate: pinning.Migrate(nil)}, {Name: hash, Size: pinning.SizeAny}}, []pinning.UpgradeStep{
			{Kind: pinning.KindMap, Name: bss, Action: pinning.ActionMigrate, Why: "does not fit", Fields: variables},
			{Kind: pinning.KindMap, Name: hash, Action: pinning.ActionRefuse, Why: "does not fit", Fields: fields[1:]},
		}, 1},
		"migrate and recreate": {[]pinning.MapPolicy{{Name: bss, Migrate: pinning.Migrate(nil)}, {Name: hash, Recreate: true}}, []pinning.UpgradeStep{
			{Kind: pinning.KindMap, Name: bss, Action: pinning.ActionMigrate, Why: "does not fit", Fields: variables},
			{Kind: pinning.KindMap, Name: hash, Action: pinning.ActionRecreate, Why: "as asked for"},
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			opts := o.options()
			opts.Upgrade = &pinning.UpgradeOptions{Maps: c.policies, Did: func(*pinning.UpgradePlan) { t.Error("said that it was done") }}
			untouched(t, root, "sessions", obj, func() {
				plan, err := root.PlanUpgrade(parse(t, "sessions_v2"), opts)
				check(t, err)
				want := &pinning.UpgradePlan{Name: "sessions", From: 1, To: 2, Steps: append(c.maps[:2:2], code...)}
				if diff := cmp.Diff(want, plan); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if got := plan.Refused(); len(got) != c.refused || c.refused > 0 && got[0].Action != pinning.ActionRefuse {
					t.Errorf("refused: %+v, want %d", got, c.refused)
				}
			})
		})
	}
	check(t, root.Unpin("sessions", nil))
}

// TestUpgradeSizeRules compares the number of entries of the map that is there, 32, with others by each rule.
func TestUpgradeSizeRules(t *testing.T) {
	root, o, obj := newSessions(t)
	refused := func(want string) *pinning.UpgradeStep {
		return &pinning.UpgradeStep{
			Kind: pinning.KindMap, Name: "sessions", Action: pinning.ActionRefuse, Why: "does not fit",
			Fields: []object.Difference{{Field: "max entries", Want: want, Have: "32"}},
		}
	}
	kept := &pinning.UpgradeStep{Kind: pinning.KindMap, Name: "sessions", Action: pinning.ActionKeep}
	for _, c := range []struct {
		rule    pinning.SizeRule
		entries uint32
		want    *pinning.UpgradeStep
	}{
		{pinning.SizeExact, 16, refused("16")},
		{pinning.SizeExact, 64, refused("64")},
		{pinning.SizeAtLeast, 64, refused("64")},
		{pinning.SizeAtLeast, 16, kept},
		{pinning.SizeAny, 64, kept},
		{pinning.SizeAny, 16, kept},
	} {
		spec := parse(t, "sessions")
		spec.Map("sessions").MaxEntries = c.entries
		opts := o.options()
		opts.Upgrade = &pinning.UpgradeOptions{Maps: []pinning.MapPolicy{{Name: "sessions", Size: c.rule}}}
		untouched(t, root, "sessions", obj, func() {
			plan, err := root.PlanUpgrade(spec, opts)
			check(t, err)
			if diff := cmp.Diff(c.want, &plan.Steps[1]); diff != "" {
				t.Errorf("rule %d, %d entries (-want +got):\n%s", c.rule, c.entries, diff)
			}
			if c.want != kept {
				_, err := root.Upgrade(spec, opts)
				want(t, err, object.ErrMismatch, "max entries", "32", c.want.Fields[0].Want)
			}
		})
		if c.want == kept {
			next, err := root.Upgrade(spec, opts)
			check(t, err)
			if m := next.Map("sessions"); m.ID() != obj.Map("sessions").ID() || m.MaxEntries() != 32 {
				t.Errorf("rule %d, %d entries: map %d with room for %d, want %d with 32", c.rule, c.entries, m.ID(), m.MaxEntries(), obj.Map("sessions").ID())
			}
			check(t, obj.Close())
			obj = next
		}
	}
	check(t, obj.Close())
	check(t, root.Unpin("sessions", nil))
}

// TestUpgradeRecreate: a map that fits begins anew where that is asked for.
func TestUpgradeRecreate(t *testing.T) {
	root, o, old := newSessions(t)
	opts := o.options()
	opts.Upgrade = &pinning.UpgradeOptions{Maps: []pinning.MapPolicy{{Name: "sessions", Recreate: true}}}
	obj, err := root.Upgrade(varied(t, "sessions"), opts)
	obj = kept(t, obj, err)
	if m := obj.Map("sessions"); m.ID() == old.Map("sessions").ID() || len(entries(t, m)) > 0 {
		t.Errorf("map %d has %v, the old one is %d", m.ID(), entries(t, m), old.Map("sessions").ID())
	}
	if n := variable(t, obj, parse(t, "sessions"), "total"); n != 7 {
		t.Errorf("variable total is %d, want 7 as before", n)
	}
	whole(t, root, "sessions", obj)
	check(t, root.Unpin("sessions", nil))
}
