package main

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/sys"
)

// goWords are what the library's messages tell programmers to do, each with what it is for those who type a command. TestMessages looks for what lacks.
func goWords() []string {
	return []string{
		"give the object a name (Options.Name)", "give it one with -name",
		", or do not pin it (Override.Skip)", "",
		"load with Root.Load", "unpin it first",
		"leave it unpinned with Override.Skip", "do without -attach",
		"use CreateRoot to make it, or mount a bpffs there", "make it with mkdir, or mount a bpffs there: mount -t bpf bpffs DIR",
		"; use AttachTo", "; do without -attach",
		"set AttachTo, or name it in the section", "name it in the section",
		"set the program's Type, or turn its Autoload off", "rename the section, or put a ? before its name to leave the program out",
		"set MaxEntries", "give it max_entries in its definition",
		"set Inner", `give it a field "values" in its definition`,
		"set its Autoload, or remove the slot", "take the ? off its section, or remove the value",
		" has Slots, but it is ", " has values in its definition, but it is ",
	}
}

// tell gives an error as the command line says it: with its own advice where it has better, and its own words.
func (c *call) tell(err error) string {
	said := err.Error()
	if do := c.advise(err); do != "" {
		if e, ok := errors.AsType[*sys.Error](err); ok && e.Do != "" {
			said = strings.Replace(said, " ("+e.Do+")", "", 1)
		}
		said += " (" + do + ")"
	}
	return strings.NewReplacer(goWords()...).Replace(said)
}

// advise says what to do about errors for which the command line knows more than the library; "" for others.
func (c *call) advise(err error) string {
	switch {
	case errors.Is(err, pinning.ErrBusy):
		return "wait for it with -wait 10s"
	case errors.Is(err, pinning.ErrNotExist):
		return "see: " + c.self() + " ls"
	case c.command.reads && isDenied(err):
		return "needs CAP_BPF or CAP_SYS_ADMIN, and the right to open what is pinned: run it as root"
	}
	return ""
}

func isDenied(err error) bool { return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) }

// self is how to call the program for the same root.
func (c *call) self() string {
	if c.root == defaultRoot {
		return "pinion"
	}
	return "pinion -root " + plain(c.root)
}
