//go:build linux

package pinning

import (
	"errors"
	"slices"
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
	others, err := s.root.claimedByOthers(t)
	if err != nil {
		return err
	}
	var ending []*RecordedPin
	for i := range t.record.Pins {
		p := &t.record.Pins[i]
		if p.Kind != KindLink || p.Shared {
			continue
		}
		detached, err := t.removeLink(p, slices.Contains(others.links, p.ID))
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

// removeLink removes the pin of a link and tells whether there is no end of the link to wait for: it was detached, or kept because another tree
// has it too.
func (t *tree) removeLink(p *RecordedPin, keep bool) (bool, error) {
	fd, err := t.get(p)
	if err != nil {
		return false, err
	}
	l, err := link.FromFD(fd)
	if err != nil {
		return false, err
	}
	defer l.Close()
	detached := keep
	if !keep && l.CanDetach() {
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
	others, err := s.root.claimedByOthers(t)
	if err != nil {
		return err
	}
	for i := range t.record.Pins {
		p := &t.record.Pins[i]
		if p.Path == "" || p.Shared || slices.Contains(others.places, p.Path) {
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

// othersClaims are what the records of trees have that more than one may have: places outside the trees, and ids of links.
type othersClaims struct {
	places []string
	links  []uint32
}

// claimedByOthers gives the claims of all trees but one, if that one has something to be claimed. A tree that cannot be read claims nothing that
// can be known.
func (r *Root) claimedByOthers(but *tree) (othersClaims, error) {
	var c othersClaims
	alone := true
	for i := range but.record.Pins {
		p := &but.record.Pins[i]
		alone = alone && p.Path == "" && p.Kind != KindLink
	}
	if alone {
		return c, nil
	}
	names, err := r.trees()
	if err != nil {
		return c, err
	}
	for _, name := range names {
		t, err := r.openTree(name)
		if errors.Is(err, ErrNotExist) || errors.Is(err, ErrForeign) || errors.Is(err, ErrRecord) || errors.Is(err, unix.EACCES) {
			continue
		}
		if err != nil {
			return c, err
		}
		if !sameInode(t.dir, but.dir) {
			c.add(t.record)
		}
		t.close()
	}
	return c, nil
}

func (c *othersClaims) add(record *Record) {
	for i := range record.Pins {
		p := &record.Pins[i]
		if p.Path != "" {
			c.places = append(c.places, p.Path)
		}
		if p.Kind == KindLink {
			c.links = append(c.links, p.ID)
		}
	}
}

func sameInode(a, b *sys.FD) bool {
	var x, y unix.Stat_t
	return unix.Fstat(a.Int(), &x) == nil && unix.Fstat(b.Int(), &y) == nil && x.Ino == y.Ino
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
