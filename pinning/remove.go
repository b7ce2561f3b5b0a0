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

// removeTree removes a tree that lies in the staging directory as name: its links, then what is outside, then the rest, its record last. It returns when
// the programs are detached: LINK_DETACH where the kind has it, then unlink, then close; for the other kinds unlink, close, and wait for the link to end.
// What the tree in place or another object has too stays as it is.
func (s *stage) removeTree(t *tree, name string) error {
	var others othersClaims
	if t.sharable() {
		err := s.lockOutside()
		if err == nil {
			others, err = s.root.claimedByOthers(t)
		}
		if err != nil {
			return err
		}
	}
	var ending []*RecordedPin
	for i := range t.record.Pins {
		p := &t.record.Pins[i]
		if p.Kind != KindLink || p.Shared {
			continue
		}
		waits, err := t.removeLink(p, slices.Contains(others.links, p.ID))
		if err != nil && !errors.Is(err, ErrDrift) {
			return err
		}
		if waits {
			ending = append(ending, p)
		}
	}
	// The record goes last: the next one to take the lock finds in it what is left outside the tree.
	if err := t.removeOutside(&others); err != nil {
		return err
	}
	if err := clearTree(s.dir, name); err != nil {
		return err
	}
	s.unlockOutside() // what others may have is settled, and the wait may be long
	return waitForEnd(ending)
}

// sharable tells whether the tree has what others may have too: links, and pins outside.
func (t *tree) sharable() bool {
	for i := range t.record.Pins {
		if p := &t.record.Pins[i]; p.Path != "" || p.Kind == KindLink {
			return true
		}
	}
	return false
}

// removeLink detaches a link, unless others have it, and removes its pin in the tree. It tells whether the link ends only when it is freed.
func (t *tree) removeLink(p *RecordedPin, keep bool) (waits bool, err error) {
	fd, err := t.get(p)
	if err != nil {
		return false, err
	}
	l, err := link.FromFD(fd)
	if err != nil {
		return false, err
	}
	defer l.Close()
	waits = !keep
	if !keep && l.CanDetach() {
		err := l.Detach()
		if err != nil && !errors.Is(err, link.ErrNoDetach) && !errors.Is(err, link.ErrDefunct) {
			return false, err
		}
		waits = errors.Is(err, link.ErrNoDetach)
	}
	if p.Path != "" {
		return waits, nil
	}
	dir, name, err := t.at(p)
	if err != nil {
		return false, err
	}
	return waits, unix.Unlinkat(dir.Int(), name, 0)
}

// removeOutside removes the pins that overrides put outside the tree and that are still the recorded ones, but for those that were there before
// and those that another tree has too.
func (t *tree) removeOutside(others *othersClaims) error {
	for i := range t.record.Pins {
		p := &t.record.Pins[i]
		if p.Path == "" || p.Shared || others.hasPlace(p.Path) {
			continue
		}
		fd, err := t.getPlaced(p)
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

func (c *othersClaims) hasPlace(place string) bool {
	return c != nil && slices.Contains(c.places, place)
}

// claimedByOthers gives the claims of all trees but one. What counts is what is in its place, or between the two steps of a swap; not what is being built or
// removed, or two removals would each leave a link to the other. A tree without a record that can be understood claims nothing, nor does one that another user
// keeps to himself: see isTree. The caller holds the lock of what is outside.
func (r *Root) claimedByOthers(but *tree) (othersClaims, error) {
	var c othersClaims
	names, err := r.claimants()
	if err != nil {
		return c, err
	}
	for _, name := range names {
		t, err := r.openTree(name)
		if errors.Is(err, ErrNotExist) || errors.Is(err, ErrForeign) || errors.Is(err, ErrRecord) {
			continue
		}
		if err != nil {
			return c, err
		}
		if but == nil || !sameInode(t.dir, but.dir) {
			c.add(t.record)
		}
		t.close()
	}
	return c, nil
}

// claimants gives the names of the trees, those whose swap was cut in half included.
func (r *Root) claimants() ([]string, error) {
	names, err := r.trees()
	if err != nil {
		return nil, err
	}
	staged, err := r.staging()
	for _, name := range staged {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, err
}

// staging gives the names of the trees that have a staging directory.
func (r *Root) staging() ([]string, error) {
	dir, err := sys.OpenDirAt(r.dir, ".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := sys.ReadNames(dir)
	var staged []string
	for _, name := range names {
		tree, is := text.CutPrefix(name, stagePrefix)
		if !is {
			continue
		}
		if _, _, err := ParseTreeName(tree); err == nil {
			staged = append(staged, tree)
		}
	}
	sortNames(staged)
	return staged, err
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
