package main

import (
	"fmt"
	"io"
	"os"

	"github.com/pinion-bpf/pinion/pinning"
)

// unpinInfo is the JSON of unpin.
type unpinInfo struct {
	Name   string   `json:"name"`
	Pins   int      `json:"pins"`
	Stayed []string `json:"stayed"`
}

// unpin removes a pinned object.
func unpin(c *call) error {
	flags, opts := c.flags(), new(pinning.Options)
	waitFlag(flags, opts)
	names, err := c.parse(flags, 1, 1)
	if err != nil {
		return err
	}
	root, err := c.openRoot()
	if err != nil {
		return err
	}
	defer root.Close()
	// Unpin comes first whatever Status says: it clears what a dead process left, of which Status knows nothing.
	status, statusErr := root.Status(names[0])
	if err := root.Unpin(names[0], opts); err != nil {
		return err
	}
	if statusErr != nil {
		return statusErr
	}
	info := unpinned(status)
	return c.print(info, info.print)
}

// unpinned compares what was there before an object was unpinned with what is there now. Pins outside its tree may stay: which do depends on the
// other objects too.
func unpinned(before *pinning.Status) *unpinInfo {
	info := &unpinInfo{Name: before.Name, Stayed: []string{}}
	for _, p := range before.Pins {
		if p.State == pinning.StateGone {
			continue
		}
		if _, err := os.Lstat(p.Path); err == nil {
			info.Stayed = append(info.Stayed, p.Path)
		} else {
			info.Pins++
		}
	}
	return info
}

func (i *unpinInfo) print(out io.Writer) {
	fmt.Fprintf(out, "%s: unpinned, %d pins removed, nothing of it is attached\n", plain(i.Name), i.Pins)
	for _, path := range i.Stayed {
		fmt.Fprintf(out, "  stays: %s, which was there before or belongs to another object too\n", plain(path))
	}
}
