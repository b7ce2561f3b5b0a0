//go:build linux

package pinning

import (
	"errors"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// The staging directory <root>/%stage-<tree> exists while its owner, who holds its flock, changes that tree. There are two things that
// it may hold:
//
//	new/  a tree that is being built, or after an exchange the one that was replaced
//	old/  a tree that is being removed
//
// A process that dies leaves the directory with its lock free. The next one to take the lock clears it: see recover.
const (
	newTree = "new"
	oldTree = "old"
)

// stage is a locked staging directory.
type stage struct {
	root *Root
	tree string
	dir  *sys.FD
}

// lock takes the lock of a tree and clears what a dead process left in its staging directory.
func (r *Root) lock(tree string, wait time.Duration) (*stage, error) {
	start := time.Now()
	for {
		dir, err := r.tryLock(stagePrefix+tree, wait-time.Since(start))
		if err != nil {
			return nil, err
		}
		if dir == nil {
			continue
		}
		s := &stage{root: r, tree: tree, dir: dir}
		if err := s.recover(); err != nil {
			s.release()
			return nil, fail("clear what a dead process left in", r.path+stagePrefix+tree, err, "")
		}
		return s, nil
	}
}

// tryLock makes, opens and locks a directory. It gives nil if the directory was removed meanwhile by the one who held the lock.
func (r *Root) tryLock(name string, wait time.Duration) (*sys.FD, error) {
	// A directory that cannot be locked may not be removed again, since another may have locked it: so be sure first that it can be opened.
	spare, err := r.dir.Dup()
	if err != nil {
		return nil, err
	}
	err = unix.Mkdirat(r.dir.Int(), name, dirMode)
	spare.Close()
	if err != nil && err != unix.EEXIST {
		return nil, fail("make", r.path+name, err, "")
	}
	dir, err := sys.OpenDirAt(r.dir, name)
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, fail("open", r.path+name, err, "")
	}
	if err := checkOwner(dir); err != nil {
		dir.Close()
		return nil, fail("lock", r.path+name, err, "")
	}
	err = sys.Lock(dir, max(wait, 0))
	if err == nil && sameDir(r.dir, name, dir) {
		return dir, nil
	}
	dir.Close()
	if err == unix.EAGAIN {
		return nil, because(ErrBusy, "another process holds "+r.path+name, nil)
	}
	return nil, err
}

// release gives the lock up. The directory is removed first, while it is locked; if something is left in it, it stays for the next one.
func (s *stage) release() {
	unix.Unlinkat(s.root.dir.Int(), stagePrefix+s.tree, unix.AT_REMOVEDIR)
	s.dir.Close()
}

// recover finishes or undoes what a dead process was doing. What is called new was never seen by anyone, unless a swap of two trees was cut in
// half, which only kernels without RENAME_EXCHANGE can show: then old is there too, the tree is in neither place, and new is finished.
func (s *stage) recover() error {
	names, err := sys.ReadNames(s.dir)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(names, func(n string) bool { return n != newTree && n != oldTree }); i >= 0 {
		return because(ErrForeign, names[i], nil)
	}
	hasNew, hasOld := slices.Contains(names, newTree), slices.Contains(names, oldTree)
	if hasNew && hasOld {
		err := sys.RenameNoReplace(s.dir, newTree, s.root.dir, s.tree)
		if err != nil && err != unix.EEXIST {
			return err
		}
		hasNew = err != nil
	}
	if hasNew {
		if err := s.drop(newTree, false); err != nil {
			return err
		}
	}
	if hasOld {
		if err := s.drop(oldTree, true); err != nil && !errors.Is(err, ErrAttached) {
			return err
		}
	}
	return nil
}

// drop removes a tree in the staging directory and what its record has outside, so far as no other tree has it too. With detach, its links
// are detached first.
func (s *stage) drop(name string, detach bool) error {
	dir, err := sys.OpenDirAt(s.dir, name)
	if err != nil {
		return err
	}
	t, err := s.root.treeIn(s.tree, dir)
	if err != nil {
		dir.Close()
		if errors.Is(err, ErrForeign) || errors.Is(err, ErrRecord) {
			return clearTree(s.dir, name) // no record was written yet, so nothing was made outside
		}
		return err
	}
	defer t.close()
	if detach {
		return s.removeTree(t, name)
	}
	if err := s.removeOutside(t); err != nil {
		return err
	}
	return clearTree(s.dir, name)
}

// clearTree removes a tree's directory in a staging directory with every pin and record in it, and nothing else: what is not a tree's makes
// it ErrForeign.
func clearTree(parent *sys.FD, name string) error {
	dir, err := sys.OpenDirAt(parent, name)
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := sys.ReadNames(dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		switch {
		case isKindDir(n):
			err = clearPins(dir, n)
		case isRecordName(n):
			err = unix.Unlinkat(dir.Int(), n, 0)
		default:
			err = because(ErrForeign, name+"/"+n, nil)
		}
		if err != nil {
			return err
		}
	}
	return unix.Unlinkat(parent.Int(), name, unix.AT_REMOVEDIR)
}

func clearPins(tree *sys.FD, kindDir string) error {
	dir, err := sys.OpenDirAt(tree, kindDir)
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := sys.ReadNames(dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		err := unix.Unlinkat(dir.Int(), n, 0)
		if err == unix.EISDIR {
			return because(ErrForeign, kindDir+"/"+n, err)
		}
		if err != nil {
			return fail("remove", kindDir+"/"+n, err, "")
		}
	}
	return unix.Unlinkat(tree.Int(), kindDir, unix.AT_REMOVEDIR)
}
