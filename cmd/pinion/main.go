// Command pinion loads eBPF objects and keeps them on bpffs. It is the operator's tool, and "pinion demo" shows what Pinion does.
//
//	pinion [-root DIR] [-json] COMMAND …
//
// "pinion help" lists the commands. It exits with 0 if all was done, 1 if something failed, 2 if it was called wrongly, and 3 if it refused
// to, in order to protect something: a conflict of paths, a pinned map that does not fit, files that are not Pinion's.
package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// defaultRoot is where most systems have a bpffs mounted.
const defaultRoot = "/sys/fs/bpf"

// A command is what the first argument names.
type command struct {
	name  string
	args  string // as shown in usage
	does  string
	reads bool // and changes nothing
	run   func(*call) error
}

func commands() []command {
	return []command{
		{"demo", "", "show the main job: load, attach, pin, forget, reopen, upgrade, roll back, unpin", false, demo},
		{"inspect", "FILE…", "what an ELF file holds; loads nothing", true, inspect},
		{"plan", "[-name N] [-instance I] [-flat] [-attach] FILE", "every path that a load would pin; touches nothing", true, plan},
		{"load", "[-name N] [-instance I] [-flat] [-attach] [-no-pin] [-btf FILE] [-kconfig FILE] [-wait DURATION] FILE…", "load an object and pin it whole", false, load},
		{
			"upgrade", "[-plan] [-attach] [-keep-old] [-instance I] [-map POLICY]... [-btf FILE] [-kconfig FILE] [-wait DURATION] NAME FILE",
			"replace a pinned object with another build: maps and links are carried over", false, upgrade,
		},
		{"rollback", "[-keep-old] [-wait DURATION] NAME", "go back to what an upgrade with -keep-old replaced", false, rollback},
		{"ls", "", "the objects that are pinned under the root", true, list},
		{"show", "[-elf FILE] NAME", "one pinned object: pins, ids, attach points, and what differs from its record", true, show},
		{"unpin", "[-wait DURATION] NAME", "remove one pinned object wholly", false, unpin},
		{"recover", "[-n]", "clear what dead processes left, of all objects", false, recoverDead},
		{"gc", "[-n] [-previous]", "remove the objects whose links are all attached to nothing any more", false, collect},
		{"demo-worker", "", "", false, demoWorker}, // for the demo's own use, so it is not listed
	}
}

// run is main without the process around it.
func run(args []string, out, errOut io.Writer) int {
	c := &call{out: out, errOut: errOut, root: defaultRoot}
	return c.report(c.dispatch(args))
}

// dispatch reads the flags before the command and runs it.
func (c *call) dispatch(args []string) error {
	flags := c.newFlags("pinion")
	if err := flags.Parse(args); err != nil {
		return asked(c.out, err, "", usage)
	}
	if flags.NArg() == 0 {
		return wrongUsage("no command is given", "")
	}
	name := flags.Arg(0)
	c.args = flags.Args()[1:]
	if name == "help" {
		return c.help()
	}
	for _, cmd := range commands() {
		if cmd.name == name {
			c.command = cmd
			return cmd.run(c)
		}
	}
	return wrongUsage("there is no command "+quote(name), "")
}

func (c *call) help() error {
	if len(c.args) == 0 {
		usage(c.out)
		return nil
	}
	for _, cmd := range commands() {
		if cmd.name == c.args[0] {
			c.command, c.args = cmd, []string{"-h"}
			return cmd.run(c)
		}
	}
	return wrongUsage("there is no command "+quote(c.args[0]), "")
}

// usage lists the commands.
func usage(out io.Writer) {
	fmt.Fprintln(out, "usage: pinion [-root DIR] [-json] COMMAND …")
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, cmd := range commands() {
		if cmd.does == "" {
			continue
		}
		fmt.Fprintf(table, "  %s\t%s\n", cmd.name, cmd.does)
	}
	table.Flush()
	fmt.Fprintln(out)
	fmt.Fprintln(out, "  -root DIR   the directory on a bpffs under which objects are pinned (/sys/fs/bpf)")
	fmt.Fprintln(out, "  -json       print JSON; docs/command-line.md has the fields")
	fmt.Fprintln(out)
	fmt.Fprintln(out, "pinion help COMMAND tells more. Exit status: 0 done, 1 failed, 2 wrong usage, 3 refused to protect something.")
}
