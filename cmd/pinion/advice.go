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
		"; set AttachProgram to that program", "; that cannot be named here: put a ? before its section's name to leave the program out",
		"set the program's Type, or turn its Autoload off", "rename the section, or put a ? before its name to leave the program out",
		"set MaxEntries", "give it max_entries in its definition",
		"set Inner", `give it a field "values" in its definition`,
		"set its Autoload, or remove the slot", "take the ? off its section, or remove the value",
		" has Slots, but it is ", " has values in its definition, but it is ",
		"upgrade with UpgradeOptions.KeepOld to have one", "upgrade with -keep-old to have one",
		"say how to attach it with Options.Attach", "attach it with upgrade -attach, if its section says where to",
		"pin it first: Root.Ensure", "load it first",
		"say what becomes of the map with Options.Upgrade.Maps", "say what becomes of the map with -map",
		"give ParseKconfig its text; /proc/config.gz may have it: see object/configgz", "give its text with -kconfig FILE",
		"Options.Attach does not attach it", "its section does not say where to attach it",
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
	return reword(said)
}

// reword puts the command line's words in the place of the library's.
func reword(said string) string { return strings.NewReplacer(goWords()...).Replace(said) }

// advise says what to do about errors for which the command line knows more than the library; "" for others.
func (c *call) advise(err error) string {
	if refused, ok := errors.AsType[*refusedMaps](err); ok {
		return refused.advice
	}
	switch {
	case errors.Is(err, pinning.ErrBusy) && !strings.Contains(c.command.args, "[-wait "):
		return "do this again when that is done"
	case errors.Is(err, pinning.ErrBusy):
		return "wait for it with -wait 10s"
	case errors.Is(err, pinning.ErrDifferent):
		return "replace it with: " + c.self() + " upgrade; or unpin it, or use another name or instance"
	case errors.Is(err, pinning.ErrUnattached) && c.command.name == "rollback":
		return "go back with: " + c.self() + " upgrade -attach, and the file of the build before"
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
