//go:build linux

package pinning

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// What overrides put outside of the tree cannot change with it in one step. A place that the old tree has a pin at gets its new pin after the swap: until then that
// lies in <tree>/%outside/maps, programs or links, under the name that it would have in the tree.

// waiting gives the directory below a tree in which a pin waits to be moved to its place outside.
func waiting(kind Kind) string { return outsideDir + "/" + kind.Dir() }

// placeOutside moves what waits in a tree to its place. A place that meanwhile has something else than what the replaced tree had there is not touched: then the pin
// stays where it is, and readers find it there.
func (s *stage) placeOutside(x *tree, staged []*stagedTree) error {
	for i := range x.record.Pins {
		p := &x.record.Pins[i]
		if p.Path == "" {
			continue
		}
		from, err := openDirs(x.dir, waiting(p.Kind))
		if err == unix.ENOENT {
			continue
		}
		if err == nil {
			err = s.placePin(from, p, staged)
			from.Close()
		}
		if err != nil {
			return fail("move to its place", p.called(), err, "")
		}
	}
	return removeWaiting(x.dir)
}

func (s *stage) placePin(from *sys.FD, p *RecordedPin, staged []*stagedTree) error {
	component := escapePair(p.Name, p.Target)
	var st unix.Stat_t
	if err := unix.Fstatat(from.Int(), component, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return ignore(err, unix.ENOENT) // it waits for nothing
	}
	place, name := splitPlace(p.Path)
	dir, made, err := makeDirs(s.root.dir, place)
	if err != nil {
		return err
	}
	defer dir.Close()
	fd, err := sys.GetAt(dir, name, 0)
	switch err {
	case unix.ENOENT:
		return ignore(sys.RenameNoReplace(from, component, dir, name), unix.EEXIST)
	case unix.ELOOP, unix.EISDIR:
		return nil
	case nil:
	default:
		s.root.removeDirs(made)
		return err
	}
	kind, id, err := sys.KindOf(fd)
	fd.Close()
	if err != nil || !wasAt(staged, p.Path, Kind(kind), id) {
		return err
	}
	return unix.Renameat(from.Int(), component, dir.Int(), name)
}

// wasAt tells whether a staged tree, which is the replaced one, has that very pin at a place.
func wasAt(staged []*stagedTree, place string, kind Kind, id uint32) bool {
	for _, t := range staged {
		if t.tree == nil {
			continue
		}
		if p := t.tree.pinAt(place); p != nil && p.Kind == kind && p.ID == id && !p.Shared {
			return true
		}
	}
	return false
}

// removeWaiting removes the directories in which pins waited, those that are empty.
func removeWaiting(tree *sys.FD) error {
	for _, dir := range [...]string{outsideDir + "/links", outsideDir + "/programs", outsideDir + "/maps", outsideDir} {
		switch err := unix.Unlinkat(tree.Int(), dir, unix.AT_REMOVEDIR); err {
		case nil, unix.ENOENT, unix.ENOTEMPTY:
		default:
			return fail("remove", dir, err, "")
		}
	}
	return nil
}

// removeDirs removes directories, given outermost first, that are empty.
func (r *Root) removeDirs(made []string) {
	for i := len(made) - 1; i >= 0; i-- {
		unix.Unlinkat(r.dir.Int(), made[i], unix.AT_REMOVEDIR)
	}
}

func ignore(err, what error) error {
	if err == what {
		return nil
	}
	return err
}

// lookOutside finds out what is at the place of a thing that an override puts outside: nothing, the very thing, or what the tree that is to be replaced has there.
// Anything else is an error. old is that tree, nil if there is none; others is what other trees claim.
func (s *stage) lookOutside(t *pinnable, old *tree, others *othersClaims) error {
	fd, err := s.root.getOutside(t.pin.Place)
	if err == unix.ENOENT {
		return nil
	}
	var kind sys.Kind
	var id uint32
	if err == nil {
		kind, id, err = sys.KindOf(fd)
		fd.Close()
	}
	if err != nil {
		return fail("pin", t.pin.called(), err, "")
	}
	ours := old.pinAt(t.pin.Place)
	same := Kind(kind) == t.pin.Kind && id == t.id
	switch {
	case same && ours != nil && ours.ID == id:
		t.placed, t.shared = true, ours.Shared
		return nil
	case same && t.pin.Kind == KindMap:
		t.placed, t.shared = true, true
		return nil
	case ours != nil && Kind(kind) == ours.Kind && id == ours.ID && !ours.Shared && !others.hasPlace(t.pin.Place):
		t.waits = true
		return nil
	}
	return fail("pin", t.pin.called(), because(ErrExist, text.Form("{} is a {} with id {}").
		Add(t.pin.Path).Add(kind.String()).Uint(uint64(id)).String(), nil), "choose another path")
}
