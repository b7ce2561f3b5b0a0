//go:build linux

package pinning

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// builder fills the directory new of a staging directory. What it makes outside the tree, for overrides, it makes only once the record that tells
// of it is there.
type builder struct {
	stage  *stage
	dir    *sys.FD
	inside dirCache
	pinned []string // places outside the tree, below the root
	dirs   []string // directories made for them, outermost first
}

// pinnable is one handle and where it is to be pinned.
type pinnable struct {
	pin    *Pin
	fd     *sys.FD
	id     uint32
	shared bool // it is pinned there already
}

// newBuilder begins a tree.
func (s *stage) newBuilder() (*builder, error) {
	err := unix.Mkdirat(s.dir.Int(), newTree, dirMode)
	var dir *sys.FD
	if err == nil {
		if dir, err = sys.OpenDirAt(s.dir, newTree); err != nil {
			unix.Unlinkat(s.dir.Int(), newTree, unix.AT_REMOVEDIR)
		}
	}
	if err != nil {
		return nil, fail("make", s.root.path+stagePrefix+s.tree+"/"+newTree, err, "")
	}
	return &builder{stage: s, dir: dir, inside: dirCache{base: dir}}, nil
}

// pinInside pins those of the given kind that belong into the tree.
func (b *builder) pinInside(kind Kind, things []pinnable) error {
	for i := range things {
		t := &things[i]
		if t.pin.Kind != kind || t.pin.Override {
			continue
		}
		dir, err := b.kindDir(kind)
		if err == nil {
			err = sys.PinAt(dir, escapePair(t.pin.Name, t.pin.Target), t.fd)
		}
		if err != nil {
			return fail("pin", t.pin.called(), err, "")
		}
	}
	return nil
}

func (b *builder) kindDir(kind Kind) (*sys.FD, error) {
	if fd := b.inside.find(kind.Dir()); fd != nil {
		return fd, nil
	}
	fd, _, err := makeDirs(b.dir, kind.Dir())
	if err == nil {
		b.inside.keep(kind.Dir(), fd)
	}
	return fd, err
}

// writeRecord writes what the tree will hold.
func (b *builder) writeRecord(record *Record, things []pinnable) error {
	record.Pins = make([]RecordedPin, len(things))
	for i := range things {
		t, p := &things[i], &record.Pins[i]
		p.Kind, p.Name, p.Target, p.ID, p.Shared = t.pin.Kind, t.pin.Name, t.pin.Target, t.id, t.shared
		if t.pin.Override {
			p.Path = t.pin.Place
		}
	}
	parts, err := encodeRecord(record)
	if err != nil {
		return err
	}
	for i, part := range parts {
		if err := unix.Symlinkat(part, b.dir.Int(), RecordName(i)); err != nil {
			return fail("write the record", RecordName(i), err, "")
		}
	}
	return nil
}

// pinOutside pins what overrides put outside the tree and is not pinned there yet.
func (b *builder) pinOutside(things []pinnable) error {
	for i := range things {
		t := &things[i]
		if !t.pin.Override || t.shared {
			continue
		}
		place, name := splitPlace(t.pin.Place)
		dir, made, err := makeDirs(b.stage.root.dir, place)
		b.dirs = append(b.dirs, made...)
		if err == nil {
			err = sys.PinAt(dir, name, t.fd)
			dir.Close()
		}
		if err == unix.EEXIST {
			err = because(ErrExist, t.pin.Path, err)
		}
		if err != nil {
			return fail("pin", t.pin.called(), err, "")
		}
		b.pinned = append(b.pinned, t.pin.Place)
	}
	return nil
}

// commit puts the tree in its place, and then nothing fails any more: what it replaced, if it cannot be cleared, the next one to take the lock clears.
func (b *builder) commit(replace bool) error {
	s := b.stage
	replaced, err := "", error(nil)
	if replace {
		replaced, err = s.swap()
	} else {
		err = sys.RenameNoReplace(s.dir, newTree, s.root.dir, s.tree)
	}
	if err == unix.EEXIST {
		return because(ErrExist, s.root.path+s.tree, err)
	}
	if err != nil {
		return fail("put in its place", s.root.path+s.tree, err, "")
	}
	if replace {
		s.drop(replaced, false)
	}
	return nil
}

// swap puts the new tree in the place of another and tells what that is called in the staging directory: in one step where the kernel can
// exchange two directories (Linux 5.16), else in two, which recover can tell from anything else.
func (s *stage) swap() (replaced string, err error) {
	if err = sys.Exchange(s.dir, newTree, s.root.dir, s.tree); err != unix.EINVAL {
		return newTree, err
	}
	if err = sys.RenameNoReplace(s.root.dir, s.tree, s.dir, oldTree); err != nil {
		return "", err
	}
	if err = sys.RenameNoReplace(s.dir, newTree, s.root.dir, s.tree); err != nil {
		return "", errors.Join(err, sys.RenameNoReplace(s.dir, oldTree, s.root.dir, s.tree))
	}
	return oldTree, nil
}

// undo removes everything that was made. The links in it stay attached as long as the caller holds them. It closes the builder first, since it may
// be the lack of descriptors that is to be undone.
func (b *builder) undo() error {
	b.close()
	var failed error
	for _, place := range b.pinned {
		at, name := splitPlace(place)
		dir, err := openDirs(b.stage.root.dir, at)
		if err == nil {
			err = unix.Unlinkat(dir.Int(), name, 0)
			dir.Close()
		}
		failed = join(failed, err)
	}
	for i := len(b.dirs) - 1; i >= 0; i-- {
		// Another process may have put something in it: then it stays.
		unix.Unlinkat(b.stage.root.dir.Int(), b.dirs[i], unix.AT_REMOVEDIR)
	}
	return join(failed, clearTree(b.stage.dir, newTree))
}

func (b *builder) close() {
	b.inside.close()
	b.dir.Close()
}
