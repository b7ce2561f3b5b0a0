//go:build linux

package pinning

import (
	"errors"

	"github.com/pinion-bpf/pinion/object"
)

// Ensure gives the object as it is pinned, and if it is not, loads, attaches and pins it first. Of any number of processes that do so at
// once, one loads, and all that may wait for it (Options.Wait) get the same object; others get [ErrBusy]. Nothing that is pinned is loaded or attached a second time.
//
// An object that is pinned under that name from another build (another file, or other settings: see [object.Spec.Digest]), at other
// paths than opts ask for, or without links though opts.Attach is there and the sections say where to, is [ErrDifferent], and runs on. [ErrDrift] says that it is from this build, but not as it was left: a pin is gone, or a link was detached, lost what it was attached to,
// or runs another program. Other errors are those of [Root.Load], [Root.Pin] and [Root.Open], and that of Options.Attach.
func (r *Root) Ensure(spec *object.Spec, opts *Options) (*object.Object, error) {
	opts = opts.or()
	tree, pins, err := r.planOfSpec(spec, opts)
	if err != nil {
		return nil, err
	}
	obj, err := r.ensure(tree, spec, opts, pins)
	if err != nil {
		return nil, fail("ensure", r.path+tree, err, adviseExist(err))
	}
	return obj, nil
}

func (r *Root) ensure(tree string, spec *object.Spec, opts *Options, pins []Pin) (*object.Object, error) {
	obj, err := r.openSame(tree, spec, opts, pins)
	if !errors.Is(err, ErrNotExist) {
		return obj, err
	}
	s, err := r.lock(tree, opts.Wait)
	if err != nil {
		return nil, err
	}
	defer s.release()
	obj, err = r.openSame(tree, spec, opts, pins) // another process was faster
	if !errors.Is(err, ErrNotExist) {
		return obj, err
	}
	return s.loadAndPin(spec, opts, pins)
}

// openSame opens the pinned object if it is from the same build. A tree that so far has only maps counts as none.
func (r *Root) openSame(tree string, spec *object.Spec, opts *Options, pins []Pin) (*object.Object, error) {
	t, obj, err := r.open(tree)
	if err != nil {
		return nil, err
	}
	defer t.close()
	switch {
	case !t.record.Complete:
		err = ErrNotExist
	case t.record.ELF != spec.ELFDigest():
		err = because(ErrDifferent, "of another ELF file", nil)
	case t.record.Spec != spec.Digest():
		err = because(ErrDifferent, "of this ELF file with other settings", nil)
	case !t.isAt(pins):
		err = because(ErrDifferent, "at other paths", nil)
	case opts.Attach != nil && countLinks(pins) > 0 && len(obj.Links()) == 0:
		err = because(ErrDifferent, "without its links", nil)
	default:
		if err = t.checkLinks(obj); err == nil {
			return obj, nil
		}
		if !sameDir(r.dir, tree, t.dir) { // it was being removed: what is there now counts
			if err := obj.Close(); err != nil {
				return nil, err
			}
			return r.openSame(tree, spec, opts, pins)
		}
	}
	return nil, join(err, obj.Close())
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
	replace, err := s.mayPin(obj)
	if err == nil {
		before := withoutLinks(pins)
		err = s.pin(obj, before, replace, func() ([]Pin, error) {
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
