//go:build linux

package pinning

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// Recover finishes or undoes what dead processes left below the root, of every object, and tells what it did. Each call that changes an object does the same for
// that one, so this is for operators, and for what nobody calls for any more. What a living process holds is left alone: it is [ErrBusy], with the holder.
// Nothing that a whole tree accounts for is detached.
//
// One thing that cannot be cleared does not keep it from the others: see Recovered.Err. Recover itself fails only if the root cannot be read.
func (r *Root) Recover(opts *RecoverOptions) ([]Recovered, error) {
	names, err := r.staging()
	if err != nil {
		return nil, fail("recover", r.Path(), err, "")
	}
	dry := opts != nil && opts.DryRun
	var all []Recovered
	for _, name := range names {
		done, there, err := r.recover(name, dry)
		if there || err != nil {
			all = append(all, Recovered{Name: name, Did: done, Err: err})
		}
	}
	if !dry {
		r.clearOutsideLock()
	}
	return all, nil
}

// recover settles one staging directory, or only looks at it. It tells whether one was there that nobody holds.
func (r *Root) recover(name string, dry bool) (did string, there bool, err error) {
	dir, err := sys.OpenDirAt(r.dir, stagePrefix+name)
	if err == unix.ENOENT {
		return "", false, nil
	}
	if err == nil {
		err = checkOwner(dir)
	}
	if err == nil {
		if err = sys.Lock(dir, 0); err == unix.EAGAIN {
			err = because(ErrBusy, holder(dir)+" holds "+r.path+stagePrefix+name, nil)
		}
	}
	same := false
	if err == nil {
		if same, err = sameDir(r.dir, stagePrefix+name, dir); err == nil && !same {
			dir.Close()
			return "", false, nil // its holder ended, and removed it
		}
	}
	if err != nil {
		dir.Close()
		return "", true, fail("recover", r.path+name, err, "")
	}
	s := &stage{root: r, tree: name, dir: dir}
	var left leftover
	if dry {
		left, err = s.look()
		dir.Close()
	} else {
		left, err = s.settle()
		s.release()
	}
	if err != nil {
		return left.String(), true, fail("recover", r.path+name, err, adviseExist(err))
	}
	return left.String(), true, nil
}

// clearOutsideLock removes the lock of what is outside, if a dead process left it: it is an empty directory that holds nobody up.
func (r *Root) clearOutsideLock() {
	dir, err := sys.OpenDirAt(r.dir, outsideLock)
	if err != nil {
		return
	}
	if sys.Lock(dir, 0) == nil {
		if same, _ := sameDir(r.dir, outsideLock, dir); same {
			r.unlockDir(outsideLock, dir)
			return
		}
	}
	dir.Close()
}
