//go:build linux

package pinning

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// The staging directory <root>/%stage-<tree> exists while its owner, who holds its flock, changes that tree. There are two things that
// it may hold:
//
//	new/  a tree that is being built, or after an exchange the one that was replaced
//	old/  a tree that is being removed, or was taken out of its place by a swap in two steps
//
// A process that dies leaves the directory with its lock free. The next one to take the lock settles it: see settle.
const (
	newTree = "new"
	oldTree = "old"
)

// stage is a locked staging directory.
type stage struct {
	root    *Root
	tree    string
	dir     *sys.FD
	until   int64   // how long the caller waits for locks: see now
	dry     bool    // not locked: only looked at, for a plan
	torn    bool    // a swap in two steps was cut in half, and could not be undone
	outside *sys.FD // the lock of what lies outside of trees, nil while it is not held
}

// lock takes the lock of a tree and settles what a dead process left in its staging directory.
func (r *Root) lock(tree string, wait time.Duration) (*stage, error) {
	s := &stage{root: r, tree: tree, until: now() + int64(wait)}
	var err error
	if s.dir, err = r.lockDir(stagePrefix+tree, s.until); err != nil {
		return nil, err
	}
	if _, err := s.settle(); err != nil {
		s.release()
		return nil, fail("clear what a dead process left in", s.path(), err, "")
	}
	if s.outside == nil {
		r.clearOutsideLock()
	}
	return s, nil
}

// now gives the time in nanoseconds since some moment. A time.Time in a structure would bring the time zones into every binary: 40 KB.
func now() int64 {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) != nil {
		return 0
	}
	return t.Nano()
}

func (s *stage) path() string { return s.root.path + stagePrefix + s.tree }

// lockDir takes the lock that a directory of the root is, and makes the directory if it is not there.
func (r *Root) lockDir(name string, until int64) (*sys.FD, error) {
	for {
		dir, err := r.tryLock(name, time.Duration(until-now()))
		if dir != nil || err != nil {
			return dir, err
		}
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
	same := false
	if err == nil {
		same, err = sameDir(r.dir, name, dir)
	}
	if same {
		return dir, nil
	}
	if err == unix.EAGAIN {
		err = because(ErrBusy, holder(dir)+" holds "+r.path+name, nil)
	} else if err != nil {
		err = fail("lock", r.path+name, err, "")
	}
	dir.Close()
	return nil, err
}

// unlockDir gives a lock up. The directory is removed first, while it is locked; if something is left in it, it stays for the next one.
func (r *Root) unlockDir(name string, dir *sys.FD) {
	unix.Unlinkat(r.dir.Int(), name, unix.AT_REMOVEDIR)
	dir.Close()
}

// outsideWait is how long everybody waits for the lock of what is outside, since those who have it are at work on another object: whoever does not want to wait
// for others at the same object would else be refused because of objects that he has never heard of.
const outsideWait = time.Second

// lockOutside takes the lock of what lies outside of trees, which is held until release. It comes after that of a tree always, and nobody has
// the locks of two trees: so nobody waits in a circle.
func (s *stage) lockOutside() error {
	if s.outside != nil {
		return nil
	}
	dir, err := s.root.lockDir(outsideLock, max(s.until, now()+int64(outsideWait)))
	s.outside = dir
	return err
}

// unlockOutside gives that lock up.
func (s *stage) unlockOutside() {
	if s.outside != nil {
		s.root.unlockDir(outsideLock, s.outside)
		s.outside = nil
	}
}

// release gives the locks up.
func (s *stage) release() {
	s.unlockOutside()
	s.root.unlockDir(stagePrefix+s.tree, s.dir)
}
