package pinning_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
)

// many is how many processes do the same at once.
const many = 8

// open gives the order's root.
func (o *order) open() (*pinning.Root, error) { return pinning.OpenRoot(o.Root) }

// ensureOnce ensures the object, and tells whether it was the one that loaded it.
func ensureOnce(o *order, said *done) error {
	root, err := o.open()
	if err != nil {
		return err
	}
	defer root.Close()
	spec, err := o.spec(o.Object)
	if err != nil {
		return err
	}
	loads := &loadCounter{object: spec.Maps[0].Name}
	opts := o.options()
	opts.Load = &object.LoadOptions{Maps: loads}
	obj, err := root.Ensure(spec, opts)
	if err != nil {
		return err
	}
	said.Loads, said.IDs = loads.loads, ids(obj)
	return obj.Close()
}

// TestG10EnsureByManyAtOnce has processes ensure the same object at once where there is none: one loads it, and all have the same.
func TestG10EnsureByManyAtOnce(t *testing.T) {
	rounds := repeats(200)
	root, o := newTarget(t, "counter")
	o.Do = "ensure"
	workers := newWorkers(t, many)
	begun := time.Now()
	for round := range rounds {
		for _, w := range workers {
			w.begin(o)
		}
		loads := 0
		var first done
		for i, w := range workers {
			d := w.result()
			if loads += d.Loads; i == 0 {
				first = d
			} else if diff := cmp.Diff(first.IDs, d.IDs); diff != "" {
				t.Errorf("round %d: process 0 and process %d have other objects:\n%s", round, i, diff)
			}
		}
		if n := countLinks(t, "count_ingress"); loads != 1 || n != 1 || len(first.IDs) == 0 {
			t.Fatalf("round %d: loaded %d times, %d links of one program, ids %v", round, loads, n, first.IDs)
		}
		check(t, root.Unpin("counter", nil))
		if left := files(t, root); len(left) > 0 {
			t.Fatalf("round %d left %q", round, left)
		}
	}
	t.Logf("%d rounds, %d processes: in each, one loaded and %d reopened; took %v", rounds, many, many-1, time.Since(begun).Round(time.Millisecond))
}

// upgradeOften upgrades an object to its one build and the other.
func upgradeOften(o *order, said *done) error {
	root, builds, err := o.openWithBuilds()
	if err != nil {
		return err
	}
	defer root.Close()
	opts := o.options()
	opts.Upgrade = &pinning.UpgradeOptions{Did: func(plan *pinning.UpgradePlan) {
		if plan.Same {
			said.Count["the same"]++
		} else {
			said.Count["upgraded"]++
		}
	}}
	for i := range o.Times {
		obj, err := root.Upgrade(builds[i%2], opts)
		if err != nil {
			return err
		}
		if err := errors.Join(isWhole(obj, builds[0]), obj.Close()); err != nil {
			return err
		}
	}
	return nil
}

// isWhole makes sure that an object has all that its builds have.
func isWhole(obj *object.Object, spec *object.Spec) error {
	if m, p, l := len(obj.Maps()), len(obj.Programs()), len(obj.Links()); m != len(spec.Maps) || p != len(spec.Programs) || l != p {
		return fmt.Errorf("generation %d has %d maps, %d programs, %d links", obj.Pinned().Generation, m, p, l)
	}
	return nil
}

// readAlways opens an object and looks at it, again and again: each time it is whole, not older than the time before, and nothing in it has drifted.
func readAlways(o *order, said *done, stop <-chan struct{}) error {
	root, err := o.open()
	if err != nil {
		return err
	}
	defer root.Close()
	spec, err := o.spec(o.Object)
	if err != nil {
		return err
	}
	var newest uint64
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		generation, err := readOnce(root, o.Name, spec, said)
		switch {
		case errors.Is(err, pinning.ErrNotExist):
			said.Count["not there"]++
		case err != nil:
			return err
		case generation < newest:
			return fmt.Errorf("generation %d after %d", generation, newest)
		default:
			newest = generation
		}
	}
}

func readOnce(root *pinning.Root, name string, spec *object.Spec, said *done) (generation uint64, err error) {
	obj, err := root.Open(name)
	if err != nil {
		return 0, err
	}
	said.Count["opened"]++
	changed, changedErr := root.Changed(obj)
	if changed {
		said.Count["changed"]++
	}
	generation = obj.Pinned().Generation
	if err := errors.Join(isWhole(obj, spec), changedErr, obj.Close()); err != nil {
		return 0, err
	}
	status, err := root.Status(name)
	if err != nil {
		return 0, err
	}
	said.Count["looked at"]++
	if status.Drifted() {
		return 0, fmt.Errorf("drifted: %+v", status)
	}
	if status.Record.Generation < generation {
		return 0, fmt.Errorf("generation %d after %d", status.Record.Generation, generation)
	}
	return status.Record.Generation, nil
}

// TestG10UpgradeByManyAtOnce has processes upgrade one object to its two builds, at once, while others read it.
func TestG10UpgradeByManyAtOnce(t *testing.T) {
	root, o := newTarget(t, "traffic")
	builds, err := o.builds()
	check(t, err)
	obj, err := root.Ensure(builds[0], o.options())
	kept(t, obj, err)
	writers, readers := newWorkers(t, many), newWorkers(t, 2)
	read, upgrade := o, o
	read.Do, upgrade.Do, upgrade.Times = "read", "upgrade", repeats(200)/many
	for _, w := range readers {
		w.do(read)
	}
	begun := time.Now()
	for _, w := range writers {
		w.begin(upgrade)
	}
	all := make(map[string]uint64)
	add := func(counts map[string]uint64) {
		for what, n := range counts {
			all[what] += n
		}
	}
	for _, w := range writers {
		add(w.result().Count)
	}
	took := time.Since(begun)
	for _, w := range readers {
		add(w.do(order{Do: "stop"}).Count)
	}
	t.Logf("%d processes upgraded %d times, and found the same build %d times, in %v; %d readers opened it %d times and looked %d times: it had changed %d times, and was not found %d times",
		many, all["upgraded"], all["the same"], took.Round(time.Millisecond), len(readers), all["opened"], all["looked at"], all["changed"], all["not there"])
	if all["upgraded"]+all["the same"] != many*uint64(upgrade.Times) || all["opened"] == 0 || exchanges(t) && all["not there"] > 0 {
		t.Errorf("counted %v", all)
	}
	now, err := root.Open("traffic")
	now = kept(t, now, err)
	if g := now.Pinned().Generation; g != all["upgraded"]+1 {
		t.Errorf("generation %d after %d upgrades", g, all["upgraded"])
	}
	whole(t, root, "traffic", now)
	check(t, root.Unpin("traffic", nil))
}

// failOften begins to upgrade, and fails when all links run the new programs.
func failOften(o *order, said *done) error {
	root, builds, err := o.openWithBuilds()
	if err != nil {
		return err
	}
	defer root.Close()
	failed := errors.New("failed on purpose")
	opts := &pinning.Options{Name: o.Name, Wait: workerWait, Attach: func(*object.Object) error { return failed }}
	for range o.Times {
		if _, err := root.Upgrade(builds[1], opts); !errors.Is(err, failed) {
			return fmt.Errorf("error %v, want %v", err, failed)
		}
		said.Count["failed"]++
	}
	return nil
}

// TestG10ReadersWhileUpgradesFail: links run programs that the record does not have, until they are put back; who looks takes that for no drift.
func TestG10ReadersWhileUpgradesFail(t *testing.T) {
	root, o := newTarget(t, "traffic")
	obj, err := root.Ensure(parse(t, "traffic"), o.options())
	obj = kept(t, obj, err)
	writers, readers := newWorkers(t, 2), newWorkers(t, 3)
	read, fail := o, o
	read.Do, fail.Do, fail.Times = "read", "fail", repeats(80)
	for _, w := range readers {
		w.do(read)
	}
	for _, w := range writers {
		w.begin(fail)
	}
	for _, w := range writers {
		if d := w.result(); d.Count["failed"] != uint64(fail.Times) {
			t.Errorf("counted %v", d.Count)
		}
	}
	for _, w := range readers {
		t.Logf("%v", w.do(order{Do: "stop"}).Count)
	}
	whole(t, root, "traffic", obj)
	check(t, root.Unpin("traffic", nil))
}
