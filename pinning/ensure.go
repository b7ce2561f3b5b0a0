//go:build linux

package pinning

import (
	"errors"

	"github.com/pinion-bpf/pinion/object"
)

// Ensure gives the object as it is pinned, and if it is not, loads, attaches and pins it first. Of any number of processes that do so at
// once, one loads, and all that may wait for it (Options.Wait) get the same object; others get [ErrBusy]. Nothing that is pinned is loaded or attached a second time.
//
// An object that is pinned under that name from another build (another file, or other settings: see [object.Spec.Digest]), or at other
// paths than Options.Overrides ask for, is upgraded, see [Root.Upgrade]; with Options.NoUpgrade it is [ErrDifferent], and runs on.
//
// What is not as it was left is mended, where that is provably safe: a pin that is gone is made again if the kernel still has the very thing; a link that was detached, lost
// what it was attached to, or is gone from the kernel, is attached again by Options.Attach; a map or program that is gone from the kernel is loaded
// again, as in an upgrade. The rest is [ErrDrift]: something else is pinned in a pin's place, or somebody made a link run another program; and [ErrForeign]: there are files in
// the tree that are not Pinion's. Other errors are those of [Root.Load], [Root.Pin], [Root.Open] and [Root.Upgrade], and that of Options.Attach.
func (r *Root) Ensure(spec *object.Spec, opts *Options) (*object.Object, error) {
	opts = opts.or()
	tree, pins, err := r.planOfSpec(spec, opts)
	if err != nil {
		return nil, err
	}
	obj, err := r.ensure(tree, spec, opts, pins)
	if err != nil {
		return nil, fail("ensure", r.path+tree, err, adviseEnsure(err))
	}
	return obj, nil
}

func adviseEnsure(err error) string {
	if errors.Is(err, ErrDifferent) {
		return "upgrade it, unpin it, or use another name or instance"
	}
	return adviseUpgrade(err)
}

// ensure looks without the lock. If the object is not there, whole and the same, everything is decided again under the lock: what a link runs, above all, means
// nothing while somebody may be switching it.
func (r *Root) ensure(tree string, spec *object.Spec, opts *Options, pins []Pin) (*object.Object, error) {
	obj, err := r.openSame(tree, spec, opts, pins)
	if !mayMend(err) {
		return obj, err
	}
	s, err := r.lock(tree, opts.Wait)
	if err != nil {
		return nil, err
	}
	defer s.release()
	obj, err = r.openSame(tree, spec, opts, pins) // another process was faster
	switch {
	case errors.Is(err, ErrNotExist):
		return s.loadAndPin(spec, opts, pins)
	case errors.Is(err, ErrDifferent) && !opts.NoUpgrade, errors.Is(err, ErrDrift):
		return s.upgrade(spec, opts, pins)
	}
	return obj, err
}

func mayMend(err error) bool {
	return errors.Is(err, ErrNotExist) || errors.Is(err, ErrDifferent) || errors.Is(err, ErrDrift)
}

// openSame opens the pinned object if it is from the same build. A tree that so far has only maps counts as none.
func (r *Root) openSame(tree string, spec *object.Spec, opts *Options, pins []Pin) (*object.Object, error) {
	t, err := r.openTree(tree)
	if err != nil {
		return nil, err
	}
	defer t.close()
	switch {
	case !t.record.Complete, t.staged: // who does more than read finishes the swap that a dead process has left, or waits for it
		return nil, ErrNotExist
	case t.record.ELF != spec.ELFDigest():
		return nil, because(ErrDifferent, "of another ELF file", nil)
	case t.record.Spec != spec.Digest():
		return nil, because(ErrDifferent, "of this ELF file with other settings", nil)
	case opts.Overrides != nil && !t.isAt(pins):
		return nil, because(ErrDifferent, "at other paths", nil)
	}
	obj, err := t.object()
	if err == nil {
		if err = t.checkLinks(obj); err == nil && opts.Attach != nil && countLinks(pins) > 0 && len(obj.Links()) == 0 {
			err = because(ErrDifferent, "without its links", nil)
		}
		if err == nil {
			obj.SetSpec(spec)
			return obj, nil
		}
		err = join(err, obj.Close())
	}
	if t.moved(r) { // it was being replaced or removed: what is there now counts
		return r.openSame(tree, spec, opts, pins)
	}
	return nil, err
}

// isAt tells whether the record has the planned maps and programs, each at its planned place.
func (t *tree) isAt(pins []Pin) bool {
	for i := range pins {
		if pins[i].Kind != KindLink && !t.has(&pins[i]) {
			return false
		}
	}
	links := 0
	for i := range t.record.Pins {
		if t.record.Pins[i].Kind == KindLink {
			links++
		}
	}
	return len(pins)-countLinks(pins) == len(t.record.Pins)-links
}

func countLinks(pins []Pin) int {
	n := 0
	for i := range pins {
		if pins[i].Kind == KindLink {
			n++
		}
	}
	return n
}

// checkLinks makes sure that the links of an opened object are attached and run its programs.
func (t *tree) checkLinks(obj *object.Object) error {
	for _, l := range obj.Links() {
		program, attached, err := l.State()
		if err != nil {
			return err
		}
		if state := t.linkState(l.Program(), program, attached); state != StateOK {
			thing := Thing{Kind: KindLink, Name: l.Program(), Target: l.Target()}
			return because(ErrDrift, thing.String()+" is "+state.String(), nil)
		}
	}
	return nil
}

// loadAndPin makes the object and its tree. The caller holds the lock.
func (s *stage) loadAndPin(spec *object.Spec, opts *Options, pins []Pin) (*object.Object, error) {
	obj, err := s.load(spec, opts, pins)
	if err != nil {
		return nil, err
	}
	old, err := s.mayPin(obj)
	defer old.close()
	if err == nil {
		before := withoutLinks(pins)
		err = s.pin(obj, before, old, opts, func() ([]Pin, error) {
			if opts.Attach != nil {
				if err := opts.Attach(obj); err != nil {
					return nil, fail("attach", s.tree, err, "")
				}
			}
			return s.root.plan(s.tree, thingsOfObject(obj), opts, arraysOfObject(obj))
		})
	}
	if err != nil {
		return nil, join(err, obj.Close())
	}
	return obj, nil
}

func withoutLinks(pins []Pin) []Pin {
	var rest []Pin
	for i := range pins {
		if pins[i].Kind != KindLink {
			rest = append(rest, pins[i])
		}
	}
	return rest
}
