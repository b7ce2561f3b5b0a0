package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/go-multierror"

	"github.com/pinion-bpf/pinion/pinning"
)

// The fields of the JSON of recover and gc.
type (
	recoverInfo struct {
		Name string `json:"name"`
		Did  string `json:"did"`
		Busy string `json:"busy,omitempty"`
	}
	garbageInfo struct {
		Name     string `json:"name"`
		Previous bool   `json:"previous"`
		Why      string `json:"why"`
	}
)

// recoverDead clears what dead processes left. What living ones hold is theirs: it is named, and no failure.
func recoverDead(c *call) error {
	flags, opts := c.flags(), new(pinning.RecoverOptions)
	flags.BoolVar(&opts.DryRun, "n", false, "say what would be done, and do nothing")
	if _, err := c.parse(flags, 0, 0); err != nil {
		return err
	}
	root, err := c.openRoot()
	if err != nil {
		return err
	}
	defer root.Close()
	recovered, err := root.Recover(opts)
	if err != nil {
		return err
	}
	infos := []recoverInfo{}
	var failures *multierror.Error
	for _, r := range recovered {
		switch {
		case r.Err == nil:
			infos = append(infos, recoverInfo{Name: r.Name, Did: didOrWould(r.Did, opts.DryRun)})
		case errors.Is(r.Err, pinning.ErrBusy):
			_, who, _ := strings.Cut(r.Err.Error(), pinning.ErrBusy.Error()+": ")
			infos = append(infos, recoverInfo{Name: r.Name, Busy: who})
		default:
			failures = multierror.Append(failures, r.Err)
		}
	}
	err = c.print(infos, func(out io.Writer) {
		if len(recovered) == 0 {
			fmt.Fprintf(out, "dead processes left nothing below %s\n", plain(root.Path()))
		}
		var table [][]string
		for _, i := range infos {
			table = append(table, []string{plain(i.Name), i.says()})
		}
		did := "DID"
		if opts.DryRun {
			did = "WOULD-DO"
		}
		rows(out, "", "NAME "+did, table)
	})
	if err != nil {
		return err
	}
	return failures.ErrorOrNil()
}

func (i *recoverInfo) says() string {
	if i.Busy != "" {
		return "left alone: busy: " + words(i.Busy)
	}
	return words(i.Did)
}

// didOrWould gives what the library says that it did; of a dry run, as what it would do.
func didOrWould(did string, dry bool) string {
	if did == "" {
		did = "removed an empty directory"
	}
	if !dry {
		return did
	}
	return strings.NewReplacer("finished ", "would finish ", "undid or cleared ", "would undo or clear ", "undid ", "would undo ", "cleared ", "would clear ",
		"removed ", "would remove ").Replace(did)
}

// collect removes garbage, and says why it is.
func collect(c *call) error {
	flags, opts := c.flags(), new(pinning.CollectOptions)
	flags.BoolVar(&opts.DryRun, "n", false, "say what would be removed, and why, and remove nothing")
	flags.BoolVar(&opts.Previous, "previous", false, "also the generations that upgrades kept: there is no rollback to them any more")
	if _, err := c.parse(flags, 0, 0); err != nil {
		return err
	}
	root, err := c.openRoot()
	if err != nil {
		return err
	}
	defer root.Close()
	collected, err := root.Collect(opts)
	if err != nil {
		return err
	}
	infos := []garbageInfo{}
	var failures *multierror.Error
	for _, g := range collected {
		if g.Err != nil {
			failures = multierror.Append(failures, g.Err)
			continue
		}
		infos = append(infos, garbageInfo{g.Name, g.Previous, g.Why})
	}
	err = c.print(infos, func(out io.Writer) {
		if len(collected) == 0 {
			fmt.Fprintf(out, "no garbage below %s\n", plain(root.Path()))
		}
		did := "REMOVED"
		if opts.DryRun {
			did = "WOULD-REMOVE"
		}
		var table [][]string
		for _, i := range infos {
			what := "all of it"
			if i.Previous {
				what = "previous generation"
			}
			table = append(table, []string{plain(i.Name), what, words(i.Why)})
		}
		rows(out, "", "NAME "+did+" WHY", table)
	})
	if err != nil {
		return err
	}
	return failures.ErrorOrNil()
}
