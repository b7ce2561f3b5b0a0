//go:build linux

package pinning

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
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
	replace, err := s.mayPin(obj)
	if err == nil {
		err = s.pin(obj, pins, replace, nil)
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

// mayPin looks at what is in the tree's place: nothing, or only maps that the object has too, which may be replaced by the whole.
func (s *stage) mayPin(obj *object.Object) (replace bool, err error) {
	t, err := s.root.openTree(s.tree)
	if errors.Is(err, ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer t.close()
	if t.record.Complete {
		return false, because(ErrExist, "the whole object", nil)
	}
	for i := range t.record.Pins {
		p := &t.record.Pins[i]
		if m := obj.Map(p.Name); m == nil || m.ID() != p.ID {
			return false, because(ErrExist, "its auto-pinned map "+readable(p.Name)+" is not this object's: load with Root.Load", nil)
		}
	}
	foreign, err := t.foreign()
	if err == nil && len(foreign) > 0 {
		err = because(ErrForeign, t.name+"/"+foreign[0], nil)
	}
	return true, err
}

// pin builds the tree and puts it in its place. Maps and programs come first; then attach, if there is one, makes the links; then the
// record tells all, before anything is made outside the tree and before a link is pinned.
func (s *stage) pin(obj *object.Object, pins []Pin, replace bool, attach func() ([]Pin, error)) (err error) {
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
	things, err := s.pinnables(obj, pins)
	if err != nil {
		return err
	}
	for _, kind := range []Kind{KindMap, KindProgram} {
		if err := b.pinInside(kind, things); err != nil {
			return err
		}
	}
	if attach != nil {
		if pins, err = attach(); err != nil {
			return err
		}
		if things, err = s.pinnables(obj, pins); err != nil {
			return err
		}
	}
	if err := b.writeRecord(recordOf(obj, s.tree, true), things); err != nil {
		return err
	}
	if err := b.pinOutside(things); err != nil {
		return err
	}
	if err := b.pinInside(KindLink, things); err != nil {
		return err
	}
	return b.commit(replace)
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

// pinnables finds the handle for each pin, and looks at the places outside the tree.
func (s *stage) pinnables(obj *object.Object, pins []Pin) ([]pinnable, error) {
	things := make([]pinnable, len(pins))
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
			var err error
			if t.shared, err = s.root.look(p, t.id); err != nil {
				return nil, err
			}
		}
	}
	return things, nil
}

// look tells whether a place outside the tree has the very map already. Anything else there is an error.
func (r *Root) look(p *Pin, id uint32) (bool, error) {
	fd, err := r.getOutside(p.Place)
	if err == unix.ENOENT {
		return false, nil
	}
	var kind sys.Kind
	var have uint32
	if err == nil {
		kind, have, err = sys.KindOf(fd)
		fd.Close()
	}
	if err != nil {
		return false, fail("pin", p.called(), err, "")
	}
	if Kind(kind) == KindMap && p.Kind == KindMap && have == id {
		return true, nil
	}
	return false, fail("pin", p.called(), because(ErrExist, text.Form("{} is a {} with id {}").
		Add(p.Path).Add(kind.String()).Uint(uint64(have)).String(), nil), "choose another path")
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
