//go:build linux

package pinning

import (
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
	shared bool // an override's place has it already, and had it before any object of ours
	placed bool // an override's place has it already
	waits  bool // an override's place has what the replaced tree has there: it is moved there after the swap
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
		dir, err := b.subdir(kind.Dir())
		if err == nil {
			err = sys.PinAt(dir, escapePair(t.pin.Name, t.pin.Target), t.fd)
		}
		if err != nil {
			return fail("pin", t.pin.called(), err, "")
		}
	}
	return nil
}

// subdir gives a directory below the tree, and makes it if it is not there.
func (b *builder) subdir(place string) (*sys.FD, error) {
	if fd := b.inside.find(place); fd != nil {
		return fd, nil
	}
	fd, _, err := makeDirs(b.dir, place)
	if err == nil {
		b.inside.keep(place, fd)
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
	return putRecord(b.dir, record)
}

// putRecord writes a record into a directory.
func putRecord(dir *sys.FD, record *Record) error {
	parts, err := encodeRecord(record)
	if err != nil {
		return err
	}
	for i, part := range parts {
		if err := unix.Symlinkat(part, dir.Int(), RecordName(i)); err != nil {
			return fail("write the record", RecordName(i), err, "")
		}
	}
	return nil
}

// pinWaiting pins those of a kind whose place outside is not free before the swap.
func (b *builder) pinWaiting(kind Kind, things []pinnable) error {
	for i := range things {
		t := &things[i]
		if t.pin.Kind != kind || !t.waits {
			continue
		}
		dir, err := b.subdir(waiting(kind))
		if err == nil {
			err = sys.PinAt(dir, escapePair(t.pin.Name, t.pin.Target), t.fd)
		}
		if err != nil {
			return fail("pin", t.pin.called(), err, "")
		}
	}
	return nil
}

// pinOutside pins what overrides put outside the tree, at places that are free.
func (b *builder) pinOutside(things []pinnable, access *Access) error {
	for i := range things {
		t := &things[i]
		if !t.pin.Override || t.placed || t.waits {
			continue
		}
		place, name := splitPlace(t.pin.Place)
		dir, made, err := makeDirs(b.stage.root.dir, place)
		b.dirs = append(b.dirs, made...)
		if err == nil {
			if err = sys.PinAt(dir, name, t.fd); err == nil {
				b.pinned = append(b.pinned, t.pin.Place)
				err = access.allowPin(dir, name)
			}
			dir.Close()
		}
		if err == unix.EEXIST {
			err = because(ErrExist, t.pin.Path, err)
		}
		if err != nil {
			return fail("pin", t.pin.called(), err, "")
		}
	}
	return nil
}

// commit puts the tree in its place.
func (b *builder) commit(replace bool) error {
	s := b.stage
	var err error
	if replace {
		err = s.swap()
	} else {
		err = sys.RenameNoReplace(s.dir, newTree, s.root.dir, s.tree)
	}
	if err == unix.EEXIST {
		return because(ErrExist, s.root.path+s.tree, err)
	}
	if err != nil {
		return fail("put in its place", s.root.path+s.tree, err, "")
	}
	return nil
}

// swap puts the new tree in the place of another, which then lies in the staging directory: as new where the kernel can exchange two directories (Linux 5.16), in
// one step; else in two, as old. Between the two there is no tree in place, and new and old are both there, which nothing else looks like. Those who ask what
// trees claim must not come between, so that takes the lock of what is outside.
func (s *stage) swap() error {
	err := sys.Exchange(s.dir, newTree, s.root.dir, s.tree)
	if err != unix.EINVAL {
		return err
	}
	if err := s.lockOutside(); err != nil {
		return err
	}
	if err := sys.RenameNoReplace(s.root.dir, s.tree, s.dir, oldTree); err != nil {
		return err
	}
	if err := sys.RenameNoReplace(s.dir, newTree, s.root.dir, s.tree); err != nil {
		back := sys.RenameNoReplace(s.dir, oldTree, s.root.dir, s.tree)
		s.torn = back != nil
		return join(err, back)
	}
	return nil
}

// undo removes everything that was made, unless a swap was cut in half: then nothing may be touched, and the next one to take the lock finishes it. The links in it stay attached as long as the caller holds them. It closes the builder first, since it may
// be the lack of descriptors that is to be undone.
func (b *builder) undo() error {
	b.close()
	if b.stage.torn {
		return nil
	}
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
	b.stage.root.removeDirs(b.dirs) // another process may have put something in one: then it stays
	if failed != nil {
		return failed // the record stays, which tells the next one to take the lock of what is left outside
	}
	return clearTree(b.stage.dir, newTree)
}

func (b *builder) close() {
	b.inside.close()
	b.dir.Close()
}
