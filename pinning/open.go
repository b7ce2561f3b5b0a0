//go:build linux

package pinning

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// Open gives the whole object back from its pins: maps, programs and links with their full names, each verified against the record.
// Nothing is loaded or attached. The name is as [Root.List] gives it ("flow", "flow@eth0"); see [ResolveName].
//
// Errors wrap [ErrNotExist]; [ErrForeign] for something that Pinion did not make; [ErrDrift] if a pin is not what the record says;
// [ErrRecord].
func (r *Root) Open(name string) (*object.Object, error) {
	tree, err := ResolveName(name)
	if err != nil {
		return nil, err
	}
	t, obj, err := r.open(tree)
	if err != nil {
		return nil, fail("open", r.path+tree, err, "")
	}
	t.close()
	return obj, nil
}

// open opens a tree and all that is in it. A tree that is moved away in between is looked for again.
func (r *Root) open(name string) (*tree, *object.Object, error) {
	for {
		t, err := r.openTree(name)
		if err != nil {
			return nil, nil, err
		}
		obj, err := t.object()
		if err == nil {
			return t, obj, nil
		}
		moved := t.moved(r)
		t.close()
		if !moved {
			return nil, nil, err
		}
	}
}

// object makes handles of all recorded pins.
func (t *tree) object() (*object.Object, error) {
	obj := object.NewObject(t.record.Object, nil, nil, nil)
	obj.SetPinned(object.Pinned{Name: t.name, Generation: t.record.Generation})
	for i := range t.record.Pins {
		if err := t.addTo(obj, &t.record.Pins[i]); err != nil {
			return nil, join(err, obj.Close())
		}
	}
	return obj, nil
}

// addTo gives an object the handle of a recorded pin.
func (t *tree) addTo(obj *object.Object, p *RecordedPin) error {
	fd, err := t.get(p)
	if err != nil {
		return err
	}
	return addPin(obj, p, fd)
}

// addPin gives an object what a descriptor is of.
func addPin(obj *object.Object, p *RecordedPin, fd *sys.FD) error {
	switch p.Kind {
	case KindMap:
		m, err := object.NewMap(p.Name, fd)
		if err != nil {
			return err
		}
		obj.AddMap(m)
	case KindProgram:
		program, err := object.NewProgram(p.Name, fd)
		if err != nil {
			return err
		}
		obj.AddProgram(program)
	case KindLink:
		l, err := link.FromFD(fd)
		if err != nil {
			return err
		}
		obj.AddLink(object.NewLink(p.Name, p.Target, l))
	}
	return nil
}

// Unpin removes one object wholly, and returns when its programs are detached: if it is an error, it tells what remains. Pins that were there
// before the object, and those that another object has too, stay. Of the options, only Wait counts.
//
// Nothing is changed if it is [ErrNotExist]; [ErrForeign], because there are files in the tree that the record does not account for, or one
// of its pins is now something else; or [ErrBusy]. [ErrAttached] says that all pins are gone, but a link lives on because someone else holds it.
func (r *Root) Unpin(name string, opts *Options) error {
	tree, err := ResolveName(name)
	if err != nil {
		return err
	}
	s, err := r.lock(tree, opts.or().Wait)
	if err != nil {
		return fail("unpin", r.path+tree, err, "")
	}
	defer s.release()
	if err := s.unpin(); err != nil {
		do := ""
		if errors.Is(err, ErrForeign) {
			do = "move it away"
		}
		return fail("unpin", r.path+tree, err, do)
	}
	return nil
}

func (s *stage) unpin() error {
	t, err := s.root.openPlaced(s.tree)
	if err != nil {
		return err
	}
	defer t.close()
	if err := t.noForeign(); err != nil {
		return err
	}
	if err := t.verifyForRemoval(); err != nil {
		return err
	}
	if t.sharable() {
		if err := s.lockOutside(); err != nil {
			return err
		}
	}
	if err := unix.Renameat2(s.root.dir.Int(), s.tree, s.dir.Int(), oldTree, unix.RENAME_NOREPLACE); err != nil {
		return err
	}
	return s.removeTree(t, oldTree)
}

// verifyForRemoval makes sure that every pin that is there is the recorded one. One that is gone is no reason to keep the others.
func (t *tree) verifyForRemoval() error {
	for i := range t.record.Pins {
		p := &t.record.Pins[i]
		if p.Shared {
			continue
		}
		fd, err := t.get(p)
		switch {
		case err == nil:
			fd.Close()
		case errors.Is(err, ErrDrift):
			if _, statErr := t.lstat(p); statErr != unix.ENOENT {
				return because(ErrForeign, "", err)
			}
		default:
			return err
		}
	}
	return nil
}

// isGone tells whether nothing is at the place of a pin.
func (t *tree) isGone(p *RecordedPin) bool {
	_, err := t.lstat(p)
	return err == unix.ENOENT
}

func (t *tree) lstat(p *RecordedPin) (unix.Stat_t, error) {
	var st unix.Stat_t
	dir, name, err := t.at(p)
	if err != nil {
		return st, err
	}
	return st, unix.Fstatat(dir.Int(), name, &st, unix.AT_SYMLINK_NOFOLLOW)
}

// list names the first few of many.
func list(names []string) string {
	const most = 5
	s := ""
	for i, name := range names {
		if i == most {
			return s + " and more"
		}
		if i > 0 {
			s += ", "
		}
		s += readable(name)
	}
	return s
}
