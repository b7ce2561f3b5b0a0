package main

import (
	"fmt"
	"io"

	"github.com/pinion-bpf/pinion/pinning"
)

// unpinInfo is the JSON of unpin.
type unpinInfo struct {
	Name string `json:"name"`
	Pins int    `json:"pins"`
}

// unpin removes a pinned object.
func unpin(c *call) error {
	flags, opts := c.flags(), new(pinning.Options)
	flags.DurationVar(&opts.Wait, "wait", 0, "how long to wait for another process that changes the same object, as in 5s: a `duration`")
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
	info := unpinInfo{Name: status.Name}
	for _, p := range status.Record.Pins {
		if !p.Shared {
			info.Pins++
		}
	}
	return c.print(info, func(out io.Writer) {
		fmt.Fprintf(out, "%s: unpinned, %d pins removed, nothing of it is attached\n", plain(info.Name), info.Pins)
	})
}
