package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strconv"

	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/sys"
)

// The fields of show's JSON.
type (
	showInfo struct {
		Name       string    `json:"name"`
		Object     string    `json:"object"`
		Instance   string    `json:"instance"`
		Generation uint64    `json:"generation"`
		Complete   bool      `json:"complete"`
		ELF        string    `json:"elf_sha256"`
		Spec       string    `json:"spec_sha256"`
		Pins       []showPin `json:"pins"`
		Foreign    []string  `json:"foreign"`
		Drifted    bool      `json:"drifted"`
	}
	showPin struct {
		pinInfo
		State    string      `json:"state"`
		Problem  string      `json:"problem,omitempty"`
		Shared   bool        `json:"shared"`
		Attached *attachInfo `json:"attached,omitempty"`
	}
	attachInfo struct {
		Link       string `json:"link"`
		AttachType string `json:"attach_type,omitempty"`
		Program    uint32 `json:"program_id"`
		To         string `json:"to"`
	}
)

// show compares a pinned object with its record.
func show(c *call) error {
	names, err := c.parse(c.flags(), 1, 1)
	if err != nil {
		return err
	}
	root, err := c.openRoot()
	if err != nil {
		return err
	}
	defer root.Close()
	status, err := root.Status(names[0])
	if err != nil {
		return err
	}
	info := c.describeStatus(status)
	return c.print(info, info.print)
}

func (c *call) describeStatus(s *pinning.Status) *showInfo {
	r := s.Record
	info := &showInfo{
		Name: s.Name, Object: r.Object, Instance: r.Instance, Generation: r.Generation, Complete: r.Complete,
		ELF: hex.EncodeToString(r.ELF[:]), Spec: hex.EncodeToString(r.Spec[:]),
		Pins: []showPin{}, Foreign: append([]string{}, s.Foreign...), Drifted: s.Drifted(),
	}
	for _, p := range s.Pins {
		pin := showPin{
			pinInfo: pinInfo{Kind: p.Kind.String(), Name: p.Name, Target: p.Target, ID: p.ID, Path: p.Path},
			State:   p.State.String(), Shared: p.Shared,
		}
		if p.Err != nil {
			pin.Problem = c.tell(p.Err)
			if isDenied(p.Err) {
				pin.State = "unknown"
			}
		}
		if p.Link.Type != 0 {
			pin.Attached = &attachInfo{Link: p.Link.Type.String(), Program: p.Link.ProgramID, To: attachedTo(p.Link)}
			if p.Link.AttachType != 0 || p.Link.Type == sys.LinkTypeCgroup {
				pin.Attached.AttachType = p.Link.AttachType.String()
			}
		}
		info.Pins = append(info.Pins, pin)
	}
	return info
}

// attachedTo says in one word what a link hangs on; "nothing" where that is gone.
func attachedTo(i link.Info) string {
	switch {
	case !i.Attached:
		return "nothing"
	case i.Ifindex != 0:
		if at, err := net.InterfaceByIndex(i.Ifindex); err == nil {
			return at.Name
		}
		return "ifindex " + strconv.Itoa(i.Ifindex)
	case i.CgroupID != 0:
		return "cgroup " + strconv.FormatUint(i.CgroupID, 10)
	case i.NetnsIno != 0:
		return "netns " + decimal(i.NetnsIno)
	case i.MapID != 0:
		return "map " + decimal(i.MapID)
	case i.Name != "":
		return i.Name
	}
	return "kernel"
}

func (i *showInfo) print(out io.Writer) {
	what := "whole"
	if !i.Complete {
		what = "auto-pinned maps only"
	}
	fmt.Fprintf(out, "%s: %s, generation %d, elf %s\n", plain(i.Name), what, i.Generation, i.ELF)
	var table [][]string
	for _, p := range i.Pins {
		row := []string{p.Kind, p.label(), decimal(p.ID), p.State, "-", plain(p.Path)}
		if p.Shared {
			row[3] += ", shared"
		}
		if p.Attached != nil {
			row[4] = p.Attached.Link + " " + p.Attached.To
		}
		table = append(table, row)
	}
	rows(out, "  ", "KIND NAME ID STATE ATTACHED PATH", table)
	for _, p := range i.Pins {
		if p.Problem != "" {
			fmt.Fprintf(out, "  %s %s: %s\n", p.Kind, p.label(), p.Problem)
		}
	}
	for _, name := range i.Foreign {
		fmt.Fprintf(out, "  not Pinion's: %s\n", plain(name))
	}
}
