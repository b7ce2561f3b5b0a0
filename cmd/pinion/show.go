package main

import (
	"cmp"
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
		Previous   uint64    `json:"previous_generation,omitempty"`
		Unfinished string    `json:"unfinished,omitempty"`
		Build      string    `json:"build,omitempty"`
	}
	showPin struct {
		pinInfo
		State    string      `json:"state"`
		Problem  string      `json:"problem,omitempty"`
		Remedy   string      `json:"remedy,omitempty"`
		Shared   bool        `json:"shared"`
		Attached *attachInfo `json:"attached,omitempty"`
	}
	attachInfo struct {
		Link       string `json:"link"`
		AttachType string `json:"attach_type,omitempty"`
		Program    uint32 `json:"program_id"`
		Runs       string `json:"runs,omitempty"`
		To         string `json:"to"`
	}
)

// show compares a pinned object with its record.
func show(c *call) error {
	flags := c.flags()
	elf := flags.String("elf", "", "say whether the object was loaded from `FILE`")
	names, err := c.parse(flags, 1, 1)
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
	c.findUnfinished(info, root)
	if *elf != "" {
		if info.Build, err = compareBuild(*elf, &status.Record); err != nil {
			return err
		}
	}
	return c.print(info, info.print)
}

func (c *call) describeStatus(s *pinning.Status) *showInfo {
	r := s.Record
	info := &showInfo{
		Name: s.Name, Object: r.Object, Instance: r.Instance, Generation: r.Generation, Complete: r.Complete,
		ELF: hex.EncodeToString(r.ELF[:]), Spec: hex.EncodeToString(r.Spec[:]),
		Pins: []showPin{}, Foreign: append([]string{}, s.Foreign...), Drifted: s.Drifted(),
	}
	if s.Previous != nil {
		info.Previous = s.Previous.Generation
	}
	for _, p := range s.Pins {
		pin := showPin{
			pinInfo: pinInfo{Kind: p.Kind.String(), Name: p.Name, Target: p.Target, ID: p.ID, Path: p.Path},
			State:   p.State.String(), Shared: p.Shared,
		}
		if p.Err != nil {
			pin.Problem = c.tell(p.Err)
		}
		if pin.State != pinning.StateOK.String() {
			pin.Remedy = c.remedy(s.Name, pin.State, p.Path)
		}
		if p.Link.Type != 0 {
			pin.Attached = &attachInfo{Link: p.Link.Type.String(), Program: p.Link.ProgramID, Runs: programName(r, p.Link.ProgramID), To: attachedTo(p.Link)}
			if p.Link.AttachType != 0 || p.Link.Type == sys.LinkTypeCgroup {
				pin.Attached.AttachType = p.Link.AttachType.String()
			}
		}
		info.Pins = append(info.Pins, pin)
	}
	return info
}

// programName gives the name of the object's program that has an id, "" if none has it.
func programName(r pinning.Record, id uint32) string {
	for _, p := range r.Pins {
		if p.Kind == pinning.KindProgram && p.ID == id {
			return p.Name
		}
	}
	return ""
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
	if i.Build != "" {
		fmt.Fprintf(out, "  of the file given: %s\n", i.Build)
	}
	if i.Previous != 0 {
		fmt.Fprintf(out, "  generation %d is kept: pinion rollback goes back to it\n", i.Previous)
	}
	if i.Unfinished != "" {
		fmt.Fprintf(out, "  a process died while it changed this: pinion recover %s\n", i.Unfinished)
	}
	var table [][]string
	for _, p := range i.Pins {
		row := []string{p.Kind, p.label(), decimal(p.ID), p.State, "-", plain(p.Path)}
		if p.Shared {
			row[3] += ", shared"
		}
		if p.Attached != nil {
			row[4] = p.Attached.Link + " " + p.Attached.To
			if p.Attached.Runs != p.Name {
				row[4] += ", runs " + cmp.Or(p.Attached.Runs, "id "+decimal(p.Attached.Program))
			}
		}
		table = append(table, row)
	}
	rows(out, "  ", "KIND NAME ID STATE ATTACHED PATH", table)
	i.printDrift(out)
}
