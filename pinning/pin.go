//go:build linux

package pinning

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// Pin pins a whole object: its maps, programs and links. Either all of it is pinned when it returns, or nothing is and the error says why. The
// object stays open and the caller's.
//
// If [Root.Load] has pinned the object's maps already, they become part of the whole. Otherwise [ErrExist] if an object of that name is pinned,
// [ErrForeign] if something else is in its place, [ErrBusy] if another process is at work there; and the errors of [Root.Plan].
func (r *Root) Pin(obj *object.Object, opts *Options) error {
	opts = opts.or()
	tree, err := opts.tree(obj.Name())
	if err != nil {
		return err
	}
	pins, err := r.plan(tree, thingsOfObject(obj), opts, arraysOfObject(obj))
	if err != nil {
		return err
	}
	s, err := r.lock(tree, opts.Wait)
	if err != nil {
		return fail("pin", r.path+tree, err, "")
	}
	defer s.release()
	old, err := s.mayPin(obj)
	defer old.close()
	if err == nil {
		err = s.pin(obj, pins, old, opts, nil)
	}
	if err != nil {
		return fail("pin", r.path+tree, err, adviseExist(err))
	}
	return nil
}

func adviseExist(err error) string {
	switch {
	case errors.Is(err, ErrExist):
		return "open it, unpin it, or choose another name or instance"
	case errors.Is(err, ErrDifferent):
		return "unpin it, or use another name or instance"
	case errors.Is(err, ErrForeign):
		return "move it away, or choose another name"
	case errors.Is(err, ErrDrift):
		return "see what differs with: pinion show; then unpin it, and do this again"
	}
	return ""
}

// mayPin looks at what is in the tree's place: nothing, or only maps that the object has too, which may be replaced by the whole. It gives that tree, which the
// caller closes, and nil for nothing.
func (s *stage) mayPin(obj *object.Object) (*tree, error) {
	t, err := s.root.openPlaced(s.tree)
	if errors.Is(err, ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := t.mayBecome(obj); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *tree) mayBecome(obj *object.Object) error {
	if t.record.Complete {
		return because(ErrExist, "the whole object", nil)
	}
	for i := range t.record.Pins {
		p := &t.record.Pins[i]
		if m := obj.Map(p.Name); m == nil || m.ID() != p.ID {
			return because(ErrExist, "its auto-pinned map "+readable(p.Name)+" is not this object's: load with Root.Load", nil)
		}
	}
	return t.noForeign()
}

// noForeign makes sure that nothing is in the tree that Pinion did not make.
func (t *tree) noForeign() error {
	foreign, err := t.foreign()
	if err == nil && len(foreign) > 0 {
		err = because(ErrForeign, t.name+"/"+list(foreign), nil)
	}
	return err
}

// pin builds the tree and puts it in its place; old is the tree that it replaces, or nil. Maps and programs come first; then attach, if there is one,
// makes the links; then the record tells all, before anything is made outside the tree and before a link is pinned.
func (s *stage) pin(obj *object.Object, pins []Pin, old *tree, opts *Options, attach func() ([]Pin, error)) (err error) {
	b, err := s.newBuilder()
	if err != nil {
		return err
	}
	defer b.close()
	defer func() {
		if err != nil {
			err = join(err, b.undo())
		}
	}()
	things, err := s.pinnables(obj, pins, old)
	if err != nil {
		return err
	}
	if err := b.pinCode(things); err != nil {
		return err
	}
	if attach != nil {
		if pins, err = attach(); err != nil {
			return err
		}
		if things, err = s.pinnables(obj, pins, old); err != nil {
			return err
		}
	}
	record := recordOf(obj, s.tree, true)
	if err := b.finish(record, things, opts.Access); err != nil {
		return err
	}
	if err := b.commit(old != nil); err != nil {
		return err
	}
	s.done(obj, record)
	return nil
}

// done is called once the new tree is in its place: nothing fails any more. What cannot be cleared, the next one to take the lock clears.
func (s *stage) done(obj *object.Object, record *Record) error {
	obj.SetPinned(object.Pinned{Name: s.tree, Generation: record.Generation})
	_, err := s.settle()
	return err
}

// pinCode pins maps and programs in the tree.
func (b *builder) pinCode(things []pinnable) error {
	for _, kind := range [...]Kind{KindMap, KindProgram} {
		if err := b.pinInside(kind, things); err != nil {
			return err
		}
		if err := b.pinWaiting(kind, things); err != nil {
			return err
		}
	}
	return nil
}

// finish writes the record of a tree that has its maps and programs, and then pins what outlives a process that dies: first what is outside, then the links.
func (b *builder) finish(record *Record, things []pinnable, access *Access) error {
	if err := b.writeRecord(record, things); err != nil {
		return err
	}
	if err := b.pinOutside(things, access); err != nil {
		return err
	}
	if err := b.pinInside(KindLink, things); err != nil {
		return err
	}
	if err := b.pinWaiting(KindLink, things); err != nil {
		return err
	}
	return b.allow(access)
}

// recordOf gives the head of an object's first record.
func recordOf(obj *object.Object, tree string, complete bool) *Record {
	record := &Record{Version: RecordVersion, Generation: 1, Complete: complete}
	record.Object, record.Instance, _ = ParseTreeName(tree)
	if spec := obj.Spec(); spec != nil {
		record.ELF, record.Spec = spec.ELFDigest(), spec.Digest()
	}
	return record
}

// pinnables finds the handle for each pin, and looks at the places outside the tree. old is the tree that is to be replaced, or nil.
func (s *stage) pinnables(obj *object.Object, pins []Pin, old *tree) ([]pinnable, error) {
	things := make([]pinnable, len(pins))
	var others *othersClaims
	for i := range pins {
		p, t := &pins[i], &things[i]
		t.pin = p
		switch p.Kind {
		case KindMap:
			m := obj.Map(p.Name)
			t.fd, t.id = m.FD(), m.ID()
		case KindProgram:
			prog := obj.Program(p.Name)
			t.fd, t.id = prog.FD(), prog.ID()
		case KindLink:
			l := obj.Link(p.Name, p.Target)
			if !l.Pinnable() {
				return nil, fail("pin", p.called(), ErrUnpinnable, "links of this kind need Linux 5.15; leave it unpinned with Override.Skip")
			}
			t.fd, t.id = l.FD(), l.ID()
		}
		if t.fd.Int() < 0 {
			return nil, fail("pin", p.called(), sys.ErrClosed, "pin an object before it is closed")
		}
		if p.Override {
			if others == nil {
				var err error
				if others, err = s.askOthers(old); err != nil {
					return nil, err
				}
			}
			if err := s.lookOutside(t, old, others); err != nil {
				return nil, err
			}
		}
	}
	return things, nil
}

// askOthers takes the lock of what is outside, and asks what other trees claim.
func (s *stage) askOthers(but *tree) (*othersClaims, error) {
	if err := s.lockOutside(); err != nil {
		return nil, err
	}
	others, err := s.root.claimedByOthers(but)
	return &others, err
}

// getOutside opens the pin at a place below the root. What is no pin is ErrForeign.
func (r *Root) getOutside(place string) (*sys.FD, error) {
	at, name := splitPlace(place)
	dir, err := openDirs(r.dir, at)
	if err == nil {
		defer dir.Close()
		var fd *sys.FD
		if fd, err = sys.GetAt(dir, name, 0); err == nil {
			return fd, nil
		}
	}
	switch err {
	case unix.ELOOP, unix.EISDIR, unix.ENOTDIR:
		err = because(ErrForeign, r.path+place+" is a directory or a symbolic link, or a file where a directory should be", nil)
	}
	return nil, err
}
