package main

import (
	"fmt"
	"io"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
)

// What show says of a file beside the pinned object.
const (
	buildSame     = "this build"
	buildSettings = "this build, loaded with other settings"
	buildOther    = "another build"
)

// compareBuild tells whether a file is what the pinned object was loaded from.
func compareBuild(path string, record *pinning.Record) (string, error) {
	spec, err := object.Open(path)
	switch {
	case err != nil:
		return "", err
	case record.ELF != spec.ELFDigest():
		return buildOther, nil
	case record.Spec != spec.Digest():
		return buildSettings, nil
	}
	return buildSame, nil
}

// remedy says what to do about a pin in a state that is not that of the record.
func (c *call) remedy(tree, state, path string) string {
	unpin, load := c.self()+" unpin "+plain(tree), c.self()+" load -name "+plain(tree)
	if object, instance, err := pinning.ParseTreeName(tree); err == nil && instance != "" {
		load = c.self() + " load -name " + plain(object) + " -instance " + plain(instance)
	}
	switch state {
	case pinning.StateGone.String():
		return load + " FILE, with the file that it is from, mends it; or " + unpin
	case pinning.StateDetached.String():
		return load + " -attach FILE, with the file that it is from, attaches it if its section says where to; or start what attached it; or " + unpin
	case pinning.StateSwitching.String():
		return "look again: a process is changing the object right now"
	case pinning.StateReplaced.String():
		return "move " + plain(path) + " away, then " + unpin + " and load it again"
	case pinning.StateSwapped.String():
		return "find out who updated the link; " + unpin + " detaches it, then load it again"
	}
	return "" // unknown: what the problem says
}

// findUnfinished tells what a process that died has left to be done. Until then, links may run what the record does not say.
func (c *call) findUnfinished(info *showInfo, root *pinning.Root) {
	left, err := root.Recover(&pinning.RecoverOptions{DryRun: true})
	if err != nil {
		return // who may not look is told so by what is shown
	}
	for _, r := range left {
		if r.Name == info.Name && r.Err == nil && r.Did != "" {
			info.Unfinished = didOrWould(r.Did, true)
		}
	}
	for i := range info.Pins {
		if p := &info.Pins[i]; info.Unfinished != "" && p.State == pinning.StateSwapped.String() {
			p.Remedy = c.self() + " recover"
		}
	}
}

// explain says in words what a state means where the library gives no reason.
func explain(p *showPin) string {
	switch {
	case p.Problem != "":
		return p.Problem
	case p.State == pinning.StateDetached.String():
		return "it was detached, or what it was attached to is gone"
	case p.State == pinning.StateSwitching.String() && p.Attached != nil:
		return fmt.Sprintf("it runs program id %d, while the object is being changed", p.Attached.Program)
	case p.State == pinning.StateSwapped.String() && p.Attached != nil:
		return fmt.Sprintf("it runs program id %d, which is not the pinned program %s", p.Attached.Program, plain(p.Name))
	}
	return ""
}

// printDrift tells of everything that is not as the record says, by the name of what happened, and what to do.
func (i *showInfo) printDrift(out io.Writer) {
	for n := range i.Pins {
		p := &i.Pins[n]
		if p.State == pinning.StateOK.String() && p.Problem == "" {
			continue
		}
		fmt.Fprintf(out, "  %s %s is %s: %s\n", p.Kind, p.label(), p.State, explain(p))
		if p.Remedy != "" {
			fmt.Fprintf(out, "    remedy: %s\n", p.Remedy)
		}
	}
	for _, name := range i.Foreign {
		fmt.Fprintf(out, "  not Pinion's: %s\n    remedy: move it away: the object cannot be unpinned before\n", plain(name))
	}
}
