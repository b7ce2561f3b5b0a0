//go:build linux

package pinning

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// dirMode is the mode of every directory that this package makes: whoever may write to one could swap pins.
const dirMode = 0o700

// openDirs opens the directory at a place below base, following no symbolic link. "" is base itself.
func openDirs(base *sys.FD, place string) (*sys.FD, error) {
	dir, err := base.Dup()
	for place != "" && err == nil {
		var name string
		name, place, _ = text.Cut(place, '/')
		var next *sys.FD
		next, err = sys.OpenDirAt(dir, name)
		dir.Close()
		dir = next
	}
	if err != nil {
		return nil, err
	}
	return dir, nil
}

// makeDirs is openDirs that makes what is missing. It tells the places that it made, outermost first, also with an error.
func makeDirs(base *sys.FD, place string) (dir *sys.FD, made []string, err error) {
	done := ""
	dir, err = base.Dup()
	for place != "" && err == nil {
		var name string
		name, place, _ = text.Cut(place, '/')
		done = strings.TrimPrefix(done+"/"+name, "/")
		switch err = unix.Mkdirat(dir.Int(), name, dirMode); err {
		case nil:
			made = append(made, done)
		case unix.EEXIST:
			err = nil
		}
		if err == nil {
			var next *sys.FD
			next, err = sys.OpenDirAt(dir, name)
			dir.Close()
			dir = next
		}
	}
	if err != nil {
		dir.Close()
		return nil, made, err
	}
	return dir, made, nil
}

// splitPlace cuts a path below the root into the directory and the last name.
//
//go:noinline
func splitPlace(place string) (dir, name string) {
	i := strings.LastIndexByte(place, '/')
	return place[:max(i, 0)], place[i+1:]
}

// sameDir tells whether the directory dir is still what name in parent leads to.
func sameDir(parent *sys.FD, name string, dir *sys.FD) (bool, error) {
	var at, st unix.Stat_t
	err := unix.Fstat(dir.Int(), &st)
	if err == nil && st.Nlink > 0 {
		err = unix.Fstatat(parent.Int(), name, &at, unix.AT_SYMLINK_NOFOLLOW)
	}
	if err != nil {
		return false, ignore(err, unix.ENOENT)
	}
	return st.Nlink > 0 && at.Ino == st.Ino && at.Dev == st.Dev, nil
}

// movedDir tells whether a directory is for sure no more what name in parent leads to: who does not know must not look for it again, without an end.
func movedDir(parent *sys.FD, name string, dir *sys.FD) bool {
	same, err := sameDir(parent, name, dir)
	return err == nil && !same
}
