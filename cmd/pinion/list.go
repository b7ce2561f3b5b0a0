package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/hashicorp/go-multierror"

	"github.com/pinion-bpf/pinion/pinning"
)

// entryInfo is one pinned object in the JSON of ls.
type entryInfo struct {
	Name       string `json:"name"`
	Object     string `json:"object"`
	Instance   string `json:"instance"`
	Generation uint64 `json:"generation"`
	Complete   bool   `json:"complete"`
	Maps       int    `json:"maps"`
	Programs   int    `json:"programs"`
	Links      int    `json:"links"`
}

// list shows the objects under the root. One whose record cannot be read is an error beside the others.
func list(c *call) error {
	if _, err := c.parse(c.flags(), 0, 0); err != nil {
		return err
	}
	root, err := c.openRoot()
	if err != nil {
		return err
	}
	defer root.Close()
	entries, err := root.List()
	if err != nil {
		return err
	}
	infos := []entryInfo{}
	var failures *multierror.Error
	for _, e := range entries {
		if e.Err != nil {
			failures = multierror.Append(failures, fmt.Errorf("read %s/%s: %w", root.Path(), e.Name, e.Err))
			continue
		}
		infos = append(infos, describeEntry(e))
	}
	err = c.print(infos, func(out io.Writer) {
		if len(entries) == 0 {
			fmt.Fprintf(out, "nothing is pinned below %s\n", plain(root.Path()))
		}
		var table [][]string
		for _, i := range infos {
			table = append(table, []string{
				plain(i.Name), strconv.FormatUint(i.Generation, 10), strconv.Itoa(i.Maps), strconv.Itoa(i.Programs), strconv.Itoa(i.Links), yesNo(i.Complete),
			})
		}
		rows(out, "", "NAME GENERATION MAPS PROGRAMS LINKS COMPLETE", table)
	})
	if err != nil {
		return err
	}
	return failures.ErrorOrNil()
}

func describeEntry(e pinning.Entry) entryInfo {
	r := e.Record
	info := entryInfo{Name: e.Name, Object: r.Object, Instance: r.Instance, Generation: r.Generation, Complete: r.Complete}
	for _, p := range r.Pins {
		switch p.Kind {
		case pinning.KindMap:
			info.Maps++
		case pinning.KindProgram:
			info.Programs++
		case pinning.KindLink:
			info.Links++
		}
	}
	return info
}
