//go:build linux

package pinning

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// pinMode is the mode of a pin, as the kernel makes it.
const pinMode = 0o600

// allow gives everything in a tree that is being built, and its directory, the modes and owners that were asked for. It is the last step before the tree is put
// in its place: from then on others may open it.
func (b *builder) allow(a *Access) error {
	if a == nil {
		return nil
	}
	if err := a.allowBelow(b.dir); err != nil {
		return err
	}
	return a.allowDir(b.dir)
}

// allowBelow goes through a directory. Symbolic links, which hold the record, may be read by everybody and have no mode.
func (a *Access) allowBelow(dir *sys.FD) error {
	names, err := sys.ReadNames(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if isRecordName(name) {
			continue
		}
		if !isKindDir(name) && name != outsideDir && name != previousTree {
			if err := a.allowPin(dir, name); err != nil {
				return err
			}
			continue
		}
		below, err := sys.OpenDirAt(dir, name)
		if err != nil {
			return fail("open", name, err, "")
		}
		err = a.allowBelow(below)
		if err == nil {
			err = a.allowDir(below)
		}
		below.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *Access) allowDir(dir *sys.FD) error {
	mode := a.DirMode
	if mode == 0 {
		mode = dirMode
	}
	err := unix.Fchown(dir.Int(), -1, a.GID)
	if err == nil {
		err = unix.Fchmod(dir.Int(), mode)
	}
	if err != nil {
		return fail("set the mode and group of", "a directory", err, "a group must be one of the process's own, or it needs CAP_CHOWN")
	}
	return nil
}

func (a *Access) allowPin(dir *sys.FD, name string) error {
	if a == nil {
		return nil
	}
	mode := a.PinMode
	if mode == 0 {
		mode = pinMode
	}
	err := unix.Fchownat(dir.Int(), name, a.UID, a.GID, unix.AT_SYMLINK_NOFOLLOW)
	if err == nil {
		err = unix.Fchmodat(dir.Int(), name, mode, 0)
	}
	if err != nil {
		return fail("set the mode and owner of pin", name, err, "another owner needs CAP_CHOWN, a group must be one of the process's own")
	}
	return nil
}

// access tells what a tree's directory and its pins allow, so that what replaces it allows the same.
func (t *tree) access() *Access {
	var dir, pin unix.Stat_t
	if unix.Fstat(t.dir.Int(), &dir) != nil {
		return nil
	}
	a := &Access{DirMode: dir.Mode & 0o7777, PinMode: pinMode, UID: -1, GID: int(dir.Gid)}
	for i := range t.record.Pins {
		p := &t.record.Pins[i]
		if at, name, err := t.at(p); err == nil && p.Path == "" && unix.Fstatat(at.Int(), name, &pin, unix.AT_SYMLINK_NOFOLLOW) == nil {
			a.PinMode, a.UID = pin.Mode&0o7777, int(pin.Uid)
			break
		}
	}
	return a
}
