//go:build linux

package pinning

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

// Entry is one object that is pinned below a root.
type Entry struct {
	Name   string // the directory's name, as Open and Unpin take it: "flow", "flow@eth0"
	Record Record // zero if it cannot be read
	Err    error  // why it cannot be read: it wraps ErrRecord, ErrForeign or an errno
}

// List gives the objects that are pinned below the root, by name. A directory without a record is none, whatever is in it.
func (r *Root) List() ([]Entry, error) {
	names, err := r.trees()
	if err != nil {
		return nil, fail("list", r.Path(), err, "")
	}
	entries := make([]Entry, 0, len(names))
	for _, name := range names {
		t, err := r.openTree(name)
		if errors.Is(err, ErrNotExist) {
			continue // removed meanwhile
		}
		entry := Entry{Name: name, Err: err}
		if err == nil {
			entry.Record = *t.record
			t.close()
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// trees gives the names below the root that have the form of a tree's and hold a record.
func (r *Root) trees() ([]string, error) {
	dir, err := sys.OpenDirAt(r.dir, ".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := sys.ReadNames(dir)
	if err != nil {
		return nil, err
	}
	var trees []string
	for _, name := range names {
		if _, _, err := ParseTreeName(name); err != nil {
			continue
		}
		is, err := r.isTree(name)
		if err != nil {
			return nil, err
		}
		if is {
			trees = append(trees, name)
		}
	}
	sortNames(trees)
	return trees, nil
}

// State is what became of a pin.
type State uint8

// The states of a pin.
const (
	StateOK        State = iota
	StateGone            // nothing is there any more
	StateReplaced        // something else is there
	StateDetached        // a link that is attached to nothing any more: it was detached, or its target is gone
	StateSwapped         // a link that runs a program which is not the pinned one
	StateSwitching       // such a link, while some process is changing the object: an upgrade switches links before its tree is there
	StateUnknown         // it could not be looked at: Err says why
)

// String gives one word.
func (s State) String() string {
	switch s {
	case StateOK:
		return "ok"
	case StateGone:
		return "gone"
	case StateReplaced:
		return "replaced"
	case StateDetached:
		return "detached"
	case StateSwapped:
		return "swapped"
	case StateSwitching:
		return "switching"
	}
	return "unknown"
}

// PinStatus is a recorded pin and what is there now.
type PinStatus struct {
	RecordedPin
	Path  string    // absolute
	State State     // as it differs from the record
	Link  link.Info // of a link that is there
	Err   error     // why the pin could not be looked at, or how it differs; nil if it is OK
}

// Status is one pinned object, compared with its record.
type Status struct {
	Name    string
	Record  Record
	Pins    []PinStatus // in the record's order
	Foreign []string    // files in the tree that the record does not have, relative to the tree

	Previous *Record // of the generation that an upgrade kept; nil if there is none
}

// Drifted tells whether anything is not as the record says.
func (s *Status) Drifted() bool {
	return len(s.Foreign) > 0 || slices.ContainsFunc(s.Pins, func(p PinStatus) bool { return p.State != StateOK && p.State != StateSwitching || p.Err != nil })
}

// Status looks at every pin of an object and tells how it differs from the record: a pin that was removed or replaced, a link that was
// detached or runs another program. It changes nothing. Errors are those of [Root.Open], but for ErrDrift, which is what it reports.
func (r *Root) Status(name string) (*Status, error) {
	tree, err := ResolveName(name)
	if err != nil {
		return nil, err
	}
	for {
		t, err := r.openTree(tree)
		if err != nil {
			return nil, fail("show", r.path+tree, err, "")
		}
		status, err := t.status(r)
		moved := (err != nil || status.Drifted()) && t.moved(r)
		t.close()
		switch {
		case moved: // it was being replaced or removed: what is there now counts
		case err != nil:
			return nil, fail("show", r.path+tree, err, "")
		default:
			return status, nil
		}
	}
}

func (t *tree) status(r *Root) (*Status, error) {
	status := &Status{Name: t.name, Record: *t.record}
	var err error
	if status.Foreign, err = t.foreign(); err != nil {
		return nil, err
	}
	previous, err := t.previous(r)
	if err == nil {
		status.Previous = previous.record
		previous.close()
	}
	for i := range t.record.Pins {
		p := t.pinStatus(r, &t.record.Pins[i])
		if p.State == StateSwapped {
			p = t.lookAgain(r, &p)
		}
		status.Pins = append(status.Pins, p)
	}
	return status, nil
}

// lookAgain looks once more at a link that runs another program than it should. It does so with the lock, which is held for that moment: whoever switched the link may
// have put it back and be gone. If somebody else has the lock, the link is being switched.
func (t *tree) lookAgain(r *Root, s *PinStatus) PinStatus {
	for {
		dir, err := sys.OpenDirAt(r.dir, stagePrefix+t.name)
		if err != nil && err != unix.ENOENT {
			again := *s
			again.State, again.Err = StateUnknown, fail("look for the lock", r.path+stagePrefix+t.name, err, "")
			return again
		}
		if err != nil { // nobody has it
			again := t.pinStatus(r, &s.RecordedPin)
			if again.State == StateSwapped && r.isStaging(t.name) {
				continue // somebody came meanwhile
			}
			return again
		}
		again := *s
		if again.State = StateSwitching; sys.Lock(dir, 0) != unix.EAGAIN {
			again = t.pinStatus(r, &s.RecordedPin)
			if movedDir(r.dir, stagePrefix+t.name, dir) && again.State == StateSwapped {
				dir.Close()
				continue // that was the lock of one who is gone
			}
		}
		dir.Close()
		return again
	}
}

// isStaging tells whether a tree has a staging directory.
func (r *Root) isStaging(tree string) bool {
	var st unix.Stat_t
	return unix.Fstatat(r.dir.Int(), stagePrefix+tree, &st, unix.AT_SYMLINK_NOFOLLOW) == nil
}

func (t *tree) pinStatus(r *Root, p *RecordedPin) PinStatus {
	s := PinStatus{RecordedPin: *p, Path: r.path + p.Place(t.name)}
	fd, err := t.get(p)
	if err != nil {
		s.Err = err
		switch {
		case t.isGone(p):
			s.State = StateGone
		case errors.Is(err, ErrDrift), errors.Is(err, ErrForeign):
			s.State = StateReplaced
		default:
			s.State = StateUnknown
		}
		return s
	}
	if p.Kind != KindLink {
		fd.Close()
		return s
	}
	l, err := link.FromFD(fd)
	if err == nil {
		s.Link, err = l.Info()
		l.Close()
	}
	if s.Err = err; err != nil {
		s.State = StateUnknown
	} else {
		s.State = t.linkState(p.Name, s.Link.ProgramID, s.Link.Attached)
	}
	return s
}

// linkState tells what became of a link of a program: it runs the program with the id runs, and is attached or not.
func (t *tree) linkState(program string, runs uint32, attached bool) State {
	recorded := t.program(program)
	switch {
	case !attached:
		return StateDetached
	case recorded != 0 && runs != recorded:
		return StateSwapped
	}
	return StateOK
}

// program gives the recorded id of a program, 0 if it is not pinned.
func (t *tree) program(name string) uint32 {
	for i := range t.record.Pins {
		if p := &t.record.Pins[i]; p.Kind == KindProgram && p.Name == name {
			return p.ID
		}
	}
	return 0
}
