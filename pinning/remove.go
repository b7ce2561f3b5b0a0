//go:build linux

package pinning

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

// detachWait is how long a link may take to end once its pins are gone: the kernel frees it on a work queue (121 ms seen on Linux 5.10). After
// that something else holds it.
const detachWait = 5 * time.Second

// removeTree removes a tree that lies in the staging directory as name. It returns when the programs are detached: LINK_DETACH where the kind
// has it, then unlink, then close; for the other kinds unlink, close, and wait for the link to end.
func (s *stage) removeTree(t *tree, name string) error {
	var ending []*RecordedPin
	for i := range t.record.Pins {
		p := &t.record.Pins[i]
		if p.Kind != KindLink || p.Shared {
			continue
		}
		detached, err := t.removeLink(p)
		if err != nil && !errors.Is(err, ErrDrift) {
			return err
		}
		if !detached && err == nil {
			ending = append(ending, p)
		}
	}
	// The record goes last: the next one to take the lock finds in it what is left outside the tree.
	if err := s.removeOutside(t); err != nil {
		return err
	}
	if err := clearTree(s.dir, name); err != nil {
		return err
	}
	return waitForEnd(ending)
}

// removeLink removes the pin of a link and tells whether the program was detached by that.
func (t *tree) removeLink(p *RecordedPin) (bool, error) {
	fd, err := t.get(p)
	if err != nil {
		return false, err
	}
	l, err := link.FromFD(fd)
	if err != nil {
		return false, err
	}
	defer l.Close()
	detached := false
	if l.CanDetach() {
		err := l.Detach()
		if err != nil && !errors.Is(err, link.ErrNoDetach) && !errors.Is(err, link.ErrDefunct) {
			return false, err
		}
		detached = !errors.Is(err, link.ErrNoDetach)
	}
	dir, name, err := t.at(p)
	if err != nil {
		return false, err
	}
	return detached, unix.Unlinkat(dir.Int(), name, 0)
}

// removeOutside removes the pins that overrides put outside the tree and that are still the recorded ones, but for those that were there before
// and those that another tree has too.
func (s *stage) removeOutside(t *tree) error {
	claimed, err := s.root.claimedOutside(t)
	if err != nil {
		return err
	}
	for i := range t.record.Pins {
		p := &t.record.Pins[i]
		if p.Path == "" || p.Shared || claimed[p.Path] {
			continue
		}
		fd, err := t.get(p)
		if errors.Is(err, ErrDrift) || errors.Is(err, ErrForeign) {
			continue // not what was pinned there, so no longer ours
		}
		if err != nil {
			return err
		}
		fd.Close()
		dir, name, err := t.at(p)
		if err == nil {
			err = unix.Unlinkat(dir.Int(), name, 0)
		}
		if err != nil {
			return fail("remove pin of", p.called(), err, "")
		}
	}
	return nil
}

// claimedOutside gives the override paths that the records of other trees have. A tree that cannot be read claims nothing that can be known.
func (r *Root) claimedOutside(but *tree) (map[string]bool, error) {
	claimed := make(map[string]bool)
	outside := false
	for i := range but.record.Pins {
		outside = outside || but.record.Pins[i].Path != ""
	}
	if !outside {
		return claimed, nil
	}
	names, err := r.trees()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		t, err := r.openTree(name)
		if errors.Is(err, ErrNotExist) || errors.Is(err, ErrForeign) || errors.Is(err, ErrRecord) || errors.Is(err, unix.EACCES) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var a, b unix.Stat_t
		same := unix.Fstat(t.dir.Int(), &a) == nil && unix.Fstat(but.dir.Int(), &b) == nil && a.Ino == b.Ino
		for i := range t.record.Pins {
			if path := t.record.Pins[i].Path; path != "" && !same {
				claimed[path] = true
			}
		}
		t.close()
	}
	return claimed, nil
}

// waitForEnd waits until the kernel has no link of these ids any more.
func waitForEnd(links []*RecordedPin) error {
	start := time.Now()
	for _, p := range links {
		for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
			there, err := linkExists(p.ID)
			if err != nil {
				return fail("wait for the end of", p.called(), err, "needs CAP_SYS_ADMIN to look at the kernel's links")
			}
			if !there {
				break
			}
			if time.Since(start) > detachWait {
				return fail("remove", p.called(), because(ErrAttached, text.Form("link id {}").Uint(uint64(p.ID)).String(), nil),
					text.Form("its pins are gone; find who holds it with: bpftool link show id {}").Uint(uint64(p.ID)).String())
			}
			time.Sleep(pause)
		}
	}
	return nil
}

// linkExists looks for an id in the kernel's list of links. Opening the link would hold it, and fails already before it is detached.
func linkExists(id uint32) (bool, error) {
	next := sys.GetIDAttr{StartID: id - 1}
	err := sys.LinkGetNextID(&next)
	if err == unix.ENOENT {
		return false, nil
	}
	return next.NextID == id, err
}
