package faults

import (
	"errors"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
)

// counterWhole is what operations on the object counter have in common. The next process always wants the build of that file.
func counterWhole(next string, at []pinning.Override) Operation {
	whole := Operation{Tree: "counter", Programs: []string{"count_ingress", "count_egress", "count_sockets"}, Runs: runsInCgroup}
	whole.Next = inOrder(recoverAll, upgrade(next, at, false))
	if at != nil {
		whole.May = []string{"out", "out/side"}
	}
	return whole
}

// upgrades are operations that put another build in an object's place: with links that can be switched and such that cannot, with and without an exchange of
// directories, with what lies outside the tree, with the old build kept.
func upgrades() []*Operation {
	at := overrides()
	one := counterWhole("counter_v2", nil)
	one.Prepare, one.Start, one.End, one.Settled = ensure("counter", nil), "counter 1", "counter_v2 2", "counter_v2 2"
	one.Keeps = []string{"counter/maps/packets"}
	two := one
	two.NoExchange = true
	out := counterWhole("counter_v2", at)
	out.Prepare, out.Start, out.End, out.Settled = ensure("counter", at), one.Start, one.End, one.Settled
	outTwo := out
	outTwo.NoExchange = true
	rawTP := Operation{
		Tree: "raw_tp", Programs: []string{"count_calls"}, Prepare: ensure("raw_tp", nil), Start: "raw_tp 1", End: "raw_tp 2",
		Next: inOrder(recoverAll, upgrade("raw_tp", nil, false)), Settled: "raw_tp 2", Runs: runsRawTracepoint,
	}
	rawTwo := rawTP
	rawTwo.NoExchange = true
	same := one
	same.Prepare, same.Start, same.Next, same.Settled = ensure("counter", nil), "counter 1", settle("counter", nil), "counter 1"
	return []*Operation{
		one.does("upgrade", upgrade("counter_v2", nil, false)),
		one.does("upgrade, old one kept", upgrade("counter_v2", nil, true)),
		two.does("upgrade, in two steps", upgrade("counter_v2", nil, false)),
		out.does("upgrade, overrides", upgrade("counter_v2", at, false)),
		outTwo.does("upgrade, overrides, in two steps", upgrade("counter_v2", at, false)),
		rawTP.does("upgrade, attached beside", upgrade("raw_tp", nil, false)),
		rawTwo.does("upgrade, attached beside, in two steps", upgrade("raw_tp", nil, false)),
		same.as("upgrade to the same", same.Prepare, "counter 1", upgrade("counter", nil, false), "counter 1"),
		same.as("plan of an upgrade", same.Prepare, "counter 1", planUpgrade, "counter 1"),
	}
}

// rollbacks go back to what an upgrade has kept, and the next process to the file of that.
func rollbacks() []*Operation {
	back := counterWhole("counter", nil)
	back.Prepare, back.Start = inOrder(ensure("counter", nil), upgrade("counter_v2", nil, true)), "counter_v2 2"
	back.End, back.Settled = "counter 3", "counter 3"
	back.Keeps = []string{"counter/maps/packets"}
	two := back
	two.NoExchange = true
	return []*Operation{
		back.does("rollback", rollback),
		two.does("rollback, in two steps", rollback),
	}
}

// cleanings are what operators do about what was left.
func cleanings() []*Operation {
	after := func(operation, call string, n int) func(*Env) error {
		return func(e *Env) error { return e.Die(operation, call, n) }
	}
	// A swap takes one call, or on older kernels one that is refused, and then two.
	afterSwap := func(e *Env) error {
		n := 1
		if find(e.bench.table, "upgrade, overrides").NoExchange {
			n = 3
		}
		return e.Die("upgrade, overrides", "renameat2", n)
	}
	old, out := *find(upgrades(), "upgrade"), *find(upgrades(), "upgrade, overrides")
	gap := *find(upgrades(), "upgrade, overrides, in two steps")
	kept := counterWhole("counter_v2", nil)
	kept.Prepare, kept.Start = inOrder(ensure("counter", nil), upgrade("counter_v2", nil, true)), "counter_v2 2"
	kept.End, kept.Settled = "counter_v2 2", "counter_v2 2"
	gone := counterWhole("counter", nil)
	gone.Prepare, gone.Start, gone.End, gone.Settled = ensure("counter", nil), "counter 1", Absent, "counter 1"
	gone.Next = settle("counter", nil)
	return []*Operation{
		old.as("recover from half an upgrade", inOrder(old.Prepare, after("upgrade", "bpf LINK_UPDATE", 2)), "counter 1", recoverAll, "counter 1"),
		out.as("recover from an upgrade, overrides", inOrder(out.Prepare, afterSwap), "counter_v2 2", recoverAll, "counter_v2 2"),
		gap.as("recover from the gap of a swap", inOrder(gap.Prepare, after("upgrade, overrides, in two steps", "renameat2", 2)), Gap, recoverAll, "counter_v2 2").failing("counter_v2 2"),
		kept.does("collect what was kept", collect),
		gone.does("collect an object", collectAll).failing(Absent),
	}
}

// upgrade changes what an object is from. raw_tp is one file alone: it gets other settings.
func upgrade(file string, at []pinning.Override, keep bool) func(*Env) error {
	return on(file, at, func(e *Env, root *pinning.Root, spec *object.Spec, opts *pinning.Options) error {
		opts.Upgrade = &pinning.UpgradeOptions{KeepOld: keep, Maps: []pinning.MapPolicy{{Name: ".bss", Migrate: pinning.Migrate(nil)}}}
		if file == "raw_tp" {
			if err := spec.Variable("group").Set([]byte{1, 0, 0, 0}); err != nil {
				return err
			}
		}
		e.Begin()
		return closed(root.Ensure(spec, opts))
	})
}

var planUpgrade = on("counter_v2", nil, func(e *Env, root *pinning.Root, spec *object.Spec, opts *pinning.Options) error {
	e.Begin()
	plan, err := root.PlanUpgrade(spec, opts)
	if err == nil && len(plan.Refused()) != 1 {
		err = errors.New("pinning: the plan does not refuse .bss")
	}
	return err
})

var rollback = withRoot(func(root *pinning.Root) error { return closed(root.Rollback("counter", nil)) })

// recoverAll wants everything cleared.
var recoverAll = withRoot(func(root *pinning.Root) error {
	all, err := root.Recover(nil)
	for _, r := range all {
		err = errors.Join(err, r.Err)
	}
	return err
})

var collect = withRoot(func(root *pinning.Root) error {
	return collected(root.Collect(&pinning.CollectOptions{Previous: true}))
})

var collectAll = withRoot(func(root *pinning.Root) error {
	return collected(root.Collect(&pinning.CollectOptions{Match: func(*pinning.Status) string { return "asked for" }}))
})

func collected(all []pinning.Collected, err error) error {
	for _, c := range all {
		err = errors.Join(err, c.Err)
	}
	return err
}
