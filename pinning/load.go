//go:build linux

package pinning

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// Load loads the object as [object.Spec.Load] does, with the maps that are pinned: a map that the object auto-pins (LIBBPF_PIN_BY_NAME) is
// found in the object's tree and reused if it fits, else made and pinned there, where [Root.Pin] and the next Load find it. A map that an
// override places outside the tree is found there. Nothing else is pinned.
//
// A map that does not fit is [object.ErrMismatch] with what differs, field by field; the pinned one stays as it is.
func (r *Root) Load(spec *object.Spec, opts *Options) (*object.Object, error) {
	opts = opts.or()
	tree, pins, err := r.planOfSpec(spec, opts)
	if err != nil {
		return nil, err
	}
	s, err := r.lock(tree, opts.Wait)
	if err != nil {
		return nil, fail("load", r.path+tree, err, "")
	}
	defer s.release()
	obj, err := s.load(spec, opts, pins)
	if err != nil {
		return nil, fail("load", r.path+tree, err, "")
	}
	if err := s.pinByName(obj, spec, opts, pins); err != nil {
		return nil, join(fail("pin", r.path+tree, err, adviseExist(err)), obj.Close())
	}
	return obj, nil
}

func (r *Root) planOfSpec(spec *object.Spec, opts *Options) (tree string, pins []Pin, err error) {
	if tree, err = opts.tree(spec.Name); err != nil {
		return "", nil, err
	}
	pins, err = r.plan(tree, thingsOfSpec(spec, opts), opts, arraysOfSpec(spec))
	return tree, pins, err
}

// load loads the object with what is pinned of it. The caller holds the lock.
func (s *stage) load(spec *object.Spec, opts *Options, pins []Pin) (*object.Object, error) {
	var load object.LoadOptions
	if opts.Load != nil {
		load = *opts.Load
	}
	t, err := s.root.openPlaced(s.tree)
	if err != nil && !errors.Is(err, ErrNotExist) {
		return nil, err
	}
	defer t.close()
	if hasOverride(pins) {
		if err := s.lockOutside(); err != nil {
			return nil, err
		}
	}
	load.Maps = &pinnedMaps{root: s.root, tree: t, pins: pins, next: load.Maps}
	return spec.Load(&load)
}

func hasOverride(pins []Pin) bool {
	return slices.ContainsFunc(pins, func(p Pin) bool { return p.Override })
}

// pinnedMaps is the source of existing maps that a load asks.
type pinnedMaps struct {
	root *Root
	tree *tree // nil if there is none
	pins []Pin
	next object.MapSource // nil, or asked for what is not pinned
}

// ExistingMap implements [object.MapSource].
func (s *pinnedMaps) ExistingMap(m *object.MapSpec) (*object.Map, error) {
	found, err := s.pinned(m)
	if found != nil || err != nil || s.next == nil {
		return found, err
	}
	return s.next.ExistingMap(m)
}

func (s *pinnedMaps) pinned(m *object.MapSpec) (*object.Map, error) {
	if m.Type == sys.MapTypeProgArray {
		return nil, nil // its programs are those of another load
	}
	for i := range s.pins {
		p := &s.pins[i]
		if p.Kind == KindMap && p.Name == m.Name && p.Override {
			return s.overridden(p)
		}
	}
	if s.tree == nil || m.Pinning != object.PinByName {
		return nil, nil
	}
	for i := range s.tree.record.Pins {
		p := &s.tree.record.Pins[i]
		if p.Kind == KindMap && p.Name == m.Name && p.Path == "" {
			fd, err := s.tree.get(p)
			if err != nil {
				return nil, err
			}
			return object.NewMap(m.Name, fd)
		}
	}
	return nil, nil
}

func (s *pinnedMaps) overridden(p *Pin) (*object.Map, error) {
	fd, err := s.root.getOutside(p.Place)
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, fail("reuse", p.Path, err, "")
	}
	return object.NewMap(p.Name, fd)
}

// pinByName pins those auto-pinned maps of a loaded object that are not pinned yet.
func (s *stage) pinByName(obj *object.Object, spec *object.Spec, opts *Options, pins []Pin) error {
	t, err := s.root.openPlaced(s.tree)
	if err != nil && !errors.Is(err, ErrNotExist) {
		return err
	}
	defer t.close()
	var maps []Pin
	missing := ""
	for i := range pins {
		p := &pins[i]
		if p.Kind != KindMap || spec.Map(p.Name).Pinning != object.PinByName {
			continue
		}
		maps = append(maps, *p)
		if !t.has(p) {
			missing = p.Name
		}
	}
	if missing == "" {
		return nil
	}
	if t != nil && t.record.Complete {
		return because(ErrExist, "the whole object, without the auto-pinned map "+readable(missing), nil)
	}
	if t != nil {
		if err := t.mayBecome(obj); err != nil {
			return err
		}
		for i := range t.record.Pins {
			if p := &t.record.Pins[i]; !slices.ContainsFunc(maps, func(m Pin) bool { return m.thing() == p.thing() }) {
				return because(ErrExist, "its auto-pinned map "+readable(p.Name)+", which this object does not pin", nil)
			}
		}
	}
	b, err := s.newBuilder()
	if err != nil {
		return err
	}
	defer b.close()
	if err := s.pinMaps(b, obj, maps, t, opts); err != nil {
		return join(err, b.undo())
	}
	return nil
}

func (t *tree) has(pin *Pin) bool {
	if t == nil {
		return false
	}
	for i := range t.record.Pins {
		if p := &t.record.Pins[i]; p.thing() == pin.thing() && p.Place(t.name) == pin.Place {
			return true
		}
	}
	return false
}

// pinMaps makes a tree of maps alone.
func (s *stage) pinMaps(b *builder, obj *object.Object, maps []Pin, old *tree, opts *Options) error {
	things, err := s.pinnables(obj, maps, old)
	if err != nil {
		return err
	}
	if err := b.pinCode(things); err != nil {
		return err
	}
	if err := b.finish(recordOf(obj, s.tree, false), things, opts.Access); err != nil {
		return err
	}
	if err := b.commit(old != nil); err != nil {
		return err
	}
	s.settle()
	return nil
}
