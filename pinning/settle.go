//go:build linux

package pinning

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

// leftover is what lies in a staging directory, and whether there is a tree in its place.
type leftover struct {
	inPlace, hasNew, hasOld bool
	recorded                bool // new has a record: it is not known only from its pins
}

// look tells what is there. Anything but the two trees is ErrForeign.
func (s *stage) look() (leftover, error) {
	var l leftover
	names, err := sys.ReadNames(s.dir)
	if err != nil {
		return l, err
	}
	if i := slices.IndexFunc(names, func(n string) bool { return n != newTree && n != oldTree }); i >= 0 {
		return l, because(ErrForeign, names[i], nil)
	}
	l.hasNew, l.hasOld = slices.Contains(names, newTree), slices.Contains(names, oldTree)
	if !l.hasNew && !l.hasOld {
		return l, nil
	}
	var st unix.Stat_t
	if err := unix.Fstatat(s.root.dir.Int(), s.tree, &st, unix.AT_SYMLINK_NOFOLLOW); err == nil {
		l.inPlace = true
	} else if err != unix.ENOENT {
		return leftover{}, fail("look at", s.root.path+s.tree, err, "")
	}
	l.recorded = l.hasNew && unix.Fstatat(s.dir.Int(), newTree+"/"+RecordName(0), &st, unix.AT_SYMLINK_NOFOLLOW) == nil
	return l, nil
}

// String says what is done about it, as Recover reports it; "" if there is nothing to do.
func (l leftover) String() string {
	switch {
	case l.hasNew && l.hasOld && !l.inPlace:
		return "finished the swap of an upgrade"
	case l.hasNew && l.inPlace:
		return "undid or cleared up after an upgrade"
	case l.hasNew && l.recorded:
		return "undid a pin with what it had outside"
	case l.hasNew:
		return "undid a pin"
	case l.hasOld && l.inPlace:
		return "cleared up after an upgrade"
	case l.hasOld:
		return "finished an unpin"
	}
	return ""
}

// settle finishes or undoes what was begun, and clears up. It does not ask how things came to be: the tree in its place decides. See
// docs/protocol.md. It tells what there was.
func (s *stage) settle() (leftover, error) {
	l, err := s.look()
	if err != nil || !l.hasNew && !l.hasOld {
		return l, err
	}
	// A tree of maps alone needs this lock for nothing, but a death is rare.
	if err := s.lockOutside(); err != nil {
		return l, err
	}
	if l.hasNew && l.hasOld && !l.inPlace {
		if err := sys.RenameNoReplace(s.dir, newTree, s.root.dir, s.tree); err != nil {
			return l, fail("put in its place", s.root.path+s.tree, err, "")
		}
	}
	staged, err := s.stagedTrees()
	if err != nil {
		return l, err
	}
	defer closeTrees(staged)
	if err := s.settlePlaced(staged); err != nil {
		return l, err
	}
	for _, t := range staged {
		if err := s.remove(t); err != nil && !errors.Is(err, ErrAttached) {
			return l, err
		}
	}
	return l, nil
}

// settlePlaced makes the tree in its place, if there is one, what its record says: its links run its programs, and what belongs outside is there.
func (s *stage) settlePlaced(staged []*stagedTree) error {
	x, err := s.root.openPlaced(s.tree)
	switch {
	case errors.Is(err, ErrNotExist), errors.Is(err, ErrForeign), errors.Is(err, ErrRecord):
		return nil // there is none, or nothing that could be ours
	case err != nil:
		return err
	}
	defer x.close()
	if err := s.switchBack(x, staged); err != nil {
		return err
	}
	return s.placeOutside(x, staged)
}

// stagedTree is a tree in the staging directory. Its record may be missing.
type stagedTree struct {
	name string // newTree or oldTree
	dir  *sys.FD
	tree *tree // nil if there is no record yet, or not all of it: then nothing was made outside
}

// stagedTrees opens what is in the staging directory, new first.
func (s *stage) stagedTrees() ([]*stagedTree, error) {
	var staged []*stagedTree
	for _, name := range [...]string{newTree, oldTree} {
		dir, err := sys.OpenDirAt(s.dir, name)
		if err == unix.ENOENT {
			continue
		}
		if err != nil {
			closeTrees(staged)
			return nil, err
		}
		t, err := s.root.treeIn(s.tree, dir)
		if err != nil && !errors.Is(err, ErrForeign) && !errors.Is(err, ErrRecord) {
			dir.Close()
			closeTrees(staged)
			return nil, err
		}
		staged = append(staged, &stagedTree{name: name, dir: dir, tree: t})
	}
	return staged, nil
}

func closeTrees(staged []*stagedTree) {
	for _, t := range staged {
		t.tree.close()
		t.dir.Close()
	}
}

// switchBack makes each link of x that runs a program of a staged tree run the one that is recorded. One that runs anything else was switched by
// somebody else, and is left alone.
func (s *stage) switchBack(x *tree, staged []*stagedTree) error {
	for i := range x.record.Pins {
		p := &x.record.Pins[i]
		if p.Kind != KindLink {
			continue
		}
		fd, err := x.get(p)
		if errors.Is(err, ErrDrift) || errors.Is(err, ErrForeign) {
			continue
		}
		if err != nil {
			return err
		}
		l, err := link.FromFD(fd)
		if err != nil {
			return err
		}
		err = x.switchLink(p, l, staged)
		l.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tree) switchLink(p *RecordedPin, l *link.Link, staged []*stagedTree) error {
	runs, attached, err := l.State()
	recorded := t.pin(Thing{Kind: KindProgram, Name: p.Name})
	if err != nil || !attached || recorded == nil || runs == recorded.ID || !l.CanUpdate() {
		return err
	}
	have, err := findProgram(staged, p.Name, runs)
	if have == nil {
		return err
	}
	defer have.Close()
	want, err := t.get(recorded)
	if errors.Is(err, ErrDrift) || errors.Is(err, ErrForeign) {
		return nil
	}
	if err != nil {
		return err
	}
	defer want.Close()
	err = l.Update(want, have)
	if errors.Is(err, link.ErrDefunct) || errors.Is(err, link.ErrChanged) {
		return nil
	}
	return err
}

// findProgram opens the pin of a program in the staged trees if it has that id. The record is not asked: there may be none yet.
func findProgram(staged []*stagedTree, name string, id uint32) (*sys.FD, error) {
	component := escapePair(name, "")
	for _, t := range staged {
		for _, place := range [...]string{KindProgram.Dir(), outsideDir + "/" + KindProgram.Dir()} {
			fd, err := openIn(t.dir, place, component)
			if err == unix.ENOENT {
				continue
			}
			if err != nil {
				return nil, fail("open a staged program", readable(name), err, "")
			}
			kind, have, err := sys.KindOf(fd)
			if err == nil && kind == sys.KindProgram && have == id {
				return fd, nil
			}
			fd.Close()
			if err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

// openIn opens a pin in a directory below another.
func openIn(base *sys.FD, place, name string) (*sys.FD, error) {
	dir, err := openDirs(base, place)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return sys.GetAt(dir, name, 0)
}

// remove removes a staged tree.
func (s *stage) remove(t *stagedTree) error {
	if t.tree == nil {
		return clearTree(s.dir, t.name)
	}
	return s.removeTree(t.tree, t.name)
}
