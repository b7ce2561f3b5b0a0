package faults

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/sys"
)

const objects = "../../testdata/bpf"

// operations is the table. Operations on objects that attach the same program are in one group, which groupOf tells from the tree.
func operations() []*Operation {
	return slices.Concat(rawTracepoints(), cgroups(), mapsOnly(), outside(), shared(), large(), recoveries(), upgrades(), rollbacks(), cleanings())
}

// rawTracepoints are operations on an object whose link the kernel can neither detach nor update.
func rawTracepoints() []*Operation {
	whole := Operation{
		Tree: "raw_tp", Programs: []string{"count_calls"},
		Next: settle("raw_tp", nil), Settled: "raw_tp 1", Runs: runsRawTracepoint,
	}
	present := whole
	present.Prepare, present.Start, present.End, present.Keeps = ensure("raw_tp", nil), "raw_tp 1", "raw_tp 1", nil
	return []*Operation{
		whole.as("pin", nil, Absent, loadAndPin("raw_tp", nil), "raw_tp 1"),
		whole.as("ensure", nil, Absent, ensure("raw_tp", nil), "raw_tp 1"),
		present.does("ensure what is there", ensure("raw_tp", nil)),
		present.does("open", open("raw_tp")),
		present.does("status and list", status("raw_tp")),
		whole.as("unpin", ensure("raw_tp", nil), "raw_tp 1", unpin("raw_tp"), Absent).failing(Absent),
	}
}

// cgroups are operations on an object whose links can be detached.
func cgroups() []*Operation {
	whole := Operation{
		Tree: "counter", Programs: []string{"count_ingress", "count_egress"},
		Next: settle("counter", nil), Settled: "counter 1", Runs: runsInCgroup,
	}
	return []*Operation{
		whole.as("ensure, cgroup", nil, Absent, ensure("counter", nil), "counter 1"),
		whole.as("unpin, cgroup", ensure("counter", nil), "counter 1", unpin("counter"), Absent).failing(Absent),
	}
}

// mapsOnly are operations on an object that is loaded, and so has its auto-pinned maps pinned, before it is pinned.
func mapsOnly() []*Operation {
	none := Operation{Tree: "pinned", Next: settle("pinned", nil), Settled: "pinned 1"}
	maps := none
	maps.Prepare, maps.Start, maps.Keeps = load("pinned", nil), "pinned 1 maps", []string{"pinned/maps/total", "pinned/maps/flows"}
	maps.End = "pinned 1"
	unpins := maps
	unpins.Keeps = nil
	twoSteps := maps
	twoSteps.NoExchange = true
	again := maps
	again.End = "pinned 1 maps"
	return []*Operation{
		none.as("load", nil, Absent, load("pinned", nil), "pinned 1 maps"),
		again.does("load again", load("pinned", nil)),
		maps.does("pin over maps", loadAndPin("pinned", nil)),
		maps.does("ensure over maps", ensure("pinned", nil)),
		twoSteps.does("ensure over maps, in two steps", ensure("pinned", nil)),
		unpins.as("unpin maps", load("pinned", nil), "pinned 1 maps", unpin("pinned"), Absent).failing(Absent),
	}
}

func overrides() []pinning.Override {
	return []pinning.Override{
		{Kind: pinning.KindMap, Name: "packets", Path: "out/side/packets"},
		{Kind: pinning.KindProgram, Name: "count_ingress", Path: "out/ingress"},
		{Kind: pinning.KindLink, Name: "count_egress", Target: "cgroup", Path: "egress"},
	}
}

// outside are operations on an object of which something of each kind lies outside its tree.
func outside() []*Operation {
	at := overrides()
	whole := Operation{
		Tree: "counter", Programs: []string{"count_ingress", "count_egress"}, May: []string{"out", "out/side"},
		Next: settle("counter", at), Settled: "counter 1", Runs: runsInCgroup,
	}
	return []*Operation{
		whole.as("pin, overrides", nil, Absent, loadAndPin("counter", at), "counter 1"),
		whole.as("unpin, overrides", ensure("counter", at), "counter 1", unpin("counter"), Absent).failing(Absent),
	}
}

// shared are operations on an object that has a map in common with another one, at a place outside both trees, which stays there.
func shared() []*Operation {
	at := []pinning.Override{{Kind: pinning.KindMap, Name: "events", Path: "common/events"}}
	one := Operation{
		Tree: "events_a", Next: settle("events_a", at), Settled: "events_a 1",
		May: []string{"common", "common/events"}, Keeps: []string{"common/events"},
	}
	first := ensure("events_b", at)
	both := inOrder(first, ensure("events_a", at))
	return []*Operation{
		one.as("ensure, a map shared", first, Absent, ensure("events_a", at), "events_a 1"),
		one.as("unpin, a map shared", both, "events_a 1", unpin("events_a"), Absent).failing(Absent),
	}
}

// large is an object whose record needs several symbolic links.
func large() []*Operation {
	whole := Operation{Tree: "large", Next: ignoring(pinning.ErrExist, pinLarge), Settled: "? 1"}
	return []*Operation{
		whole.as("pin, record in three parts", nil, Absent, pinLarge, "? 1"),
		whole.as("unpin, record in three parts", pinLarge, "? 1", unpin("large"), Absent).failing(Absent),
	}
}

// recoveries are operations that find what a dead process left.
func recoveries() []*Operation {
	after := func(operation, call string, n int) func(*Env) error {
		return func(e *Env) error { return e.Die(operation, call, n) }
	}
	rawTP := Operation{
		Tree: "raw_tp", Programs: []string{"count_calls"}, Next: settle("raw_tp", nil), Settled: "raw_tp 1", Runs: runsRawTracepoint,
	}
	ensureOver := ensure("counter", overrides())
	over := *find(outside(), "pin, overrides")
	gone := ignoring(pinning.ErrNotExist, unpin("raw_tp"))
	goneOver := ignoring(pinning.ErrNotExist, unpin("counter"))
	swap := *find(mapsOnly(), "ensure over maps, in two steps")
	swap.Start, swap.Prepare, swap.Keeps = Gap, inOrder(swap.Prepare, after(swap.Name, "renameat2", 2)), nil
	swap.Died = []string{"pinned 1"}
	return []*Operation{
		rawTP.as("ensure after a killed pin", inOrder(after("pin", "bpf OBJ_PIN", 3)), Absent, ensure("raw_tp", nil), "raw_tp 1"),
		rawTP.as("unpin after a killed pin", after("pin", "bpf OBJ_PIN", 3), Absent, gone, Absent),
		rawTP.as("ensure after a killed unpin", inOrder(ensure("raw_tp", nil), after("unpin", "renameat2", 1)), Absent, ensure("raw_tp", nil), "raw_tp 1"),
		rawTP.as("unpin after a killed unpin", inOrder(ensure("raw_tp", nil), after("unpin", "unlinkat", 3)), Absent, gone, Absent),
		over.as("ensure after a killed pin, overrides", after("pin, overrides", "bpf OBJ_PIN", 7), Absent, ensureOver, "counter 1"),
		over.as("unpin after a killed unpin, overrides", inOrder(ensureOver, after("unpin, overrides", "unlinkat", 3)), Absent, goneOver, Absent),
		swap.as("load in the gap of a swap", swap.Prepare, Gap, load("pinned", nil), "pinned 1").failing("pinned 1"),
	}
}

// as gives a copy of the operation with what differs from it.
func (o Operation) as(name string, prepare func(*Env) error, start string, do func(*Env) error, end string) *Operation {
	o.Name, o.Prepare, o.Start, o.Do, o.End = name, prepare, start, do, end
	return &o
}

// does is as, where no state differs.
func (o Operation) does(name string, do func(*Env) error) *Operation {
	return o.as(name, o.Prepare, o.Start, do, o.End)
}

// failing gives states that an error may leave.
func (o *Operation) failing(states ...string) *Operation {
	o.Failed = states
	return o
}

func inOrder(steps ...func(*Env) error) func(*Env) error {
	return func(e *Env) error {
		for _, step := range steps {
			if err := step(e); err != nil {
				return err
			}
		}
		return nil
	}
}

// ignoring takes an error for success.
func ignoring(which error, do func(*Env) error) func(*Env) error {
	return func(e *Env) error {
		if err := do(e); !errors.Is(err, which) {
			return err
		}
		return nil
	}
}

// on does something with a root and a test object, and the options for it.
func on(file string, at []pinning.Override, do func(e *Env, root *pinning.Root, spec *object.Spec, opts *pinning.Options) error) func(*Env) error {
	return func(e *Env) (err error) {
		spec, err := object.Open(filepath.Join(objects, file+".bpf.o"))
		if err != nil {
			return err
		}
		root, err := pinning.OpenRoot(e.Root)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, root.Close()) }()
		opts := &pinning.Options{Overrides: at, Load: &object.LoadOptions{Workers: 1}, Attach: (*object.Object).Attach, Wait: time.Second}
		if strings.HasPrefix(file, "counter") {
			opts.Name = "counter"
			dir, err := link.OpenCgroup(e.Cgroup)
			if err != nil {
				return err
			}
			defer dir.Close()
			opts.Attach = func(obj *object.Object) error { return attachTo(obj, dir) }
		}
		return do(e, root, spec, opts)
	}
}

// attachTo attaches every program to a cgroup.
func attachTo(obj *object.Object, dir *sys.FD) error {
	for _, p := range obj.Spec().Programs {
		if _, err := obj.AttachTo(p.Name, "cgroup", link.Cgroup{Dir: dir, AttachType: p.AttachType}); err != nil {
			return err
		}
	}
	return nil
}

func closed(obj *object.Object, err error) error {
	if err != nil {
		return err
	}
	return obj.Close()
}

func load(file string, at []pinning.Override) func(*Env) error {
	return on(file, at, func(e *Env, root *pinning.Root, spec *object.Spec, opts *pinning.Options) error {
		e.Begin()
		return closed(root.Load(spec, opts))
	})
}

func ensure(file string, at []pinning.Override) func(*Env) error {
	return on(file, at, func(e *Env, root *pinning.Root, spec *object.Spec, opts *pinning.Options) error {
		e.Begin()
		return closed(root.Ensure(spec, opts))
	})
}

// settle is the next that is done. Ensure alone takes no lock where the object is there, and so clears nothing: Load always does.
func settle(file string, at []pinning.Override) func(*Env) error {
	return inOrder(load(file, at), ensure(file, at))
}

// loadAndPin loads and attaches undisturbed, and then pins.
func loadAndPin(file string, at []pinning.Override) func(*Env) error {
	return on(file, at, func(e *Env, root *pinning.Root, spec *object.Spec, opts *pinning.Options) error {
		obj, err := root.Load(spec, opts)
		if err != nil {
			return err
		}
		if err = opts.Attach(obj); err == nil {
			e.Begin()
			err = root.Pin(obj, opts)
		}
		return errors.Join(err, obj.Close())
	})
}

// withRoot does something with a root that needs no object.
func withRoot(do func(*pinning.Root) error) func(*Env) error {
	return func(e *Env) error {
		root, err := pinning.OpenRoot(e.Root)
		if err != nil {
			return err
		}
		e.Begin()
		return errors.Join(do(root), root.Close())
	}
}

func unpin(tree string) func(*Env) error {
	return withRoot(func(root *pinning.Root) error { return root.Unpin(tree, &pinning.Options{Wait: time.Second}) })
}

func open(tree string) func(*Env) error {
	return withRoot(func(root *pinning.Root) error { return closed(root.Open(tree)) })
}

// status also wants what it tells to be right.
func status(tree string) func(*Env) error {
	return withRoot(func(root *pinning.Root) error {
		entries, err := root.List()
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.Err != nil {
				return e.Err
			}
		}
		s, err := root.Status(tree)
		if err != nil {
			return err
		}
		for _, p := range s.Pins {
			if p.Err != nil {
				return p.Err
			}
		}
		if len(entries) != 1 || s.Drifted() {
			return fmt.Errorf("pinning: %d objects, drifted: %t", len(entries), s.Drifted())
		}
		return nil
	})
}

// pinLarge pins many maps with long names.
func pinLarge(e *Env) error {
	// Before Linux 5.11, maps are charged against this; where it cannot be raised, as without CAP_SYS_RESOURCE, the kernel has been newer.
	unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY})
	obj := object.NewObject("large", nil, nil, nil)
	for i := range 40 {
		fd, err := sys.MapCreate(&sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 8, MaxEntries: 1})
		if err != nil {
			return errors.Join(err, obj.Close())
		}
		m, err := object.NewMap(fmt.Sprintf("%s_%02d", strings.Repeat("long", 50), i), fd)
		if err != nil {
			return errors.Join(err, obj.Close())
		}
		obj.AddMap(m)
	}
	return errors.Join(withRoot(func(root *pinning.Root) error { return root.Pin(obj, nil) })(e), obj.Close())
}

// clearTree unpins what a sweep has left.
func clearTree(dir, tree string) error {
	root, err := pinning.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Unpin(tree, nil); !errors.Is(err, pinning.ErrNotExist) {
		return err
	}
	return nil
}

// runsRawTracepoint makes calls and wants one counted. A call is not, where another task was preempted inside the program on the same CPU
// (the counter prog->active in kernel/trace/bpf_trace.c), which kernels that preempt do now and then.
func runsRawTracepoint(e *Env) error {
	spec, err := object.Open(filepath.Join(objects, "raw_tp.bpf.o"))
	if err != nil {
		return err
	}
	group, calls := spec.Variable("group").Offset(), spec.Variable("calls").Offset()
	fd, attr, value, err := element(filepath.Join(e.Root, "raw_tp/maps/%2Ebss"))
	if err != nil {
		return err
	}
	defer fd.Close()
	binary.NativeEndian.PutUint32(value[group:], uint32(unix.Getpid()))
	binary.NativeEndian.PutUint64(value[calls:], 0)
	if err := sys.MapUpdateElem(attr); err != nil {
		return err
	}
	counts, err := until(func() (bool, error) {
		unix.Getppid()
		err := sys.MapLookupElem(attr)
		return binary.NativeEndian.Uint64(value[calls:]) > 0, err
	})
	if err == nil && !counts {
		err = errors.New("the program does not count calls")
	}
	return err
}

// runsInCgroup wants one program at each of two hooks of the cgroup. That of a dead process whose staging was cleared may be there a moment longer.
func runsInCgroup(e *Env) error {
	dir, err := link.OpenCgroup(e.Cgroup)
	if err != nil {
		return err
	}
	defer dir.Close()
	for _, hook := range []sys.AttachType{sys.AttachTypeCgroupInetIngress, sys.AttachTypeCgroupInetEgress} {
		n := uint32(0)
		one, err := until(func() (bool, error) {
			ids := make([]uint32, 8)
			attr := sys.ProgQueryAttr{TargetFD: dir.Attr(), AttachType: hook, ProgIDs: sys.Slice(ids), ProgCnt: uint32(len(ids))}
			err := sys.ProgQuery(&attr)
			n = attr.ProgCnt
			return n == 1, err
		})
		if !one || err != nil {
			return fmt.Errorf("%d programs at hook %d of the cgroup, want 1 (%v)", n, hook, err)
		}
	}
	return nil
}
