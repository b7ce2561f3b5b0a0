//go:build linux

package pinning

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
)

// Collect removes what is pinned and of no use any more, and tells what and why: objects that have links, all of which are attached to nothing, as their
// cgroup, interface or namespace is gone; what CollectOptions.Match finds; and if asked for, the generations that upgrades kept. Age is no reason, nor is that
// no process has the object open. Nothing that is not Pinion's is touched: an object with foreign files in its tree stays, with [ErrForeign] in Collected.Err.
//
// Everything is looked at once more under the object's lock. It fails only if the root cannot be read.
func (r *Root) Collect(opts *CollectOptions) ([]Collected, error) {
	if opts == nil {
		opts = new(CollectOptions)
	}
	names, err := r.trees()
	if err != nil {
		return nil, fail("collect garbage below", r.Path(), err, "")
	}
	var all []Collected
	for _, name := range names {
		c := r.collect(name, opts)
		if c.Why != "" || c.Err != nil {
			all = append(all, c)
		}
	}
	return all, nil
}

// collect looks at one object, and removes it or its generation before. Without a reason in what it gives, it is no garbage.
func (r *Root) collect(name string, opts *CollectOptions) Collected {
	c := Collected{Name: name}
	if opts.DryRun {
		c.Why, c.Previous, c.Err = r.garbage(name, opts)
		return c
	}
	if why, _, err := r.garbage(name, opts); why == "" && err == nil {
		return c // takes no lock, and so holds nobody up
	}
	s, err := r.lock(name, 0)
	if err != nil {
		c.Err = fail("collect", r.path+name, err, "")
		return c
	}
	defer s.release()
	c.Why, c.Previous, c.Err = r.garbage(name, opts)
	if c.Why == "" || c.Err != nil {
		return c
	}
	if c.Previous {
		err = s.dropPrevious()
	} else {
		err = s.unpin()
	}
	if err != nil {
		c.Err = fail("collect", r.path+name, err, adviseExist(err))
	}
	return c
}

// garbage tells why an object, or only its generation before, is garbage; "" if it is none.
func (r *Root) garbage(name string, opts *CollectOptions) (why string, previous bool, err error) {
	status, err := r.Status(name)
	if errors.Is(err, ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	if why := status.defunct(); why != "" {
		return why, false, nil
	}
	if opts.Match != nil {
		if why := opts.Match(status); why != "" {
			return why, false, nil
		}
	}
	if opts.Previous && status.Previous != nil {
		return text.Form("generation {}, kept by an upgrade").Uint(status.Previous.Generation).String(), true, nil
	}
	return "", false, nil
}

// defunct says that all links of an object are attached to nothing; "" if one is, or cannot be looked at, or there are none.
func (s *Status) defunct() string {
	links := 0
	for i := range s.Pins {
		if p := &s.Pins[i]; p.Kind == KindLink {
			if p.State != StateDetached {
				return ""
			}
			links++
		}
	}
	switch links {
	case 0:
		return ""
	case 1:
		return "its link is attached to nothing any more"
	}
	return text.Form("none of its {} links is attached to anything any more").Int(links).String()
}

// dropPrevious removes the generation before. It is moved into the staging directory first, so that no reader sees half of it, and settled from there.
func (s *stage) dropPrevious() error {
	t, err := s.root.openPlaced(s.tree)
	if err != nil {
		return err
	}
	defer t.close()
	if err := t.noForeign(); err != nil {
		return err
	}
	if err := unix.Renameat2(t.dir.Int(), previousTree, s.dir.Int(), oldTree, unix.RENAME_NOREPLACE); err != nil {
		return err
	}
	_, err = s.settle()
	return err
}
