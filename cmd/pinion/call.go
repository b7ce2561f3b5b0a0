package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/pinion-bpf/pinion/pinning"
)

// A call is one run of a command.
type call struct {
	command command
	args    []string // after the command's name
	root    string
	json    bool
	out     io.Writer
	errOut  io.Writer
}

// newFlags makes a set of flags with the global ones, which may stand before the command and after it.
func (c *call) newFlags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.root, "root", c.root, "`DIR` on a bpffs under which objects are pinned")
	flags.BoolVar(&c.json, "json", c.json, "print JSON")
	return flags
}

// flags makes the flags of the command.
func (c *call) flags() *flag.FlagSet { return c.newFlags("pinion " + c.command.name) }

// parse reads the command's flags and gives the other arguments, between least and most of them; flags may stand anywhere among those, up to "--".
func (c *call) parse(flags *flag.FlagSet, least, most int) ([]string, error) {
	var rest []string
	for args := c.args; ; {
		if err := flags.Parse(args); err != nil {
			return nil, asked(c.out, err, c.command.name, func(out io.Writer) { c.usage(out, flags) })
		}
		if n := flags.NArg(); n == 0 || len(args) > n && args[len(args)-n-1] == "--" {
			rest = append(rest, flags.Args()...)
			break
		}
		rest = append(rest, flags.Arg(0))
		args = flags.Args()[1:]
	}
	if len(rest) < least {
		return nil, wrongUsage("too few arguments", c.command.name)
	}
	if len(rest) > most {
		return nil, wrongUsage("too many arguments, from "+quote(rest[most])+" on", c.command.name)
	}
	return rest, nil
}

const anyNumber = 1 << 30

// usage tells of one command.
func (c *call) usage(out io.Writer, flags *flag.FlagSet) {
	fmt.Fprintln(out, strings.TrimSpace("usage: pinion "+c.command.name+" "+c.command.args))
	fmt.Fprintln(out, c.command.does)
	fmt.Fprintln(out)
	flags.SetOutput(out)
	flags.PrintDefaults()
}

// asked tells a request for help from a mistake.
func asked(out io.Writer, err error, command string, help func(io.Writer)) error {
	if errors.Is(err, flag.ErrHelp) {
		help(out)
		return errHelped
	}
	return wrongUsage(err.Error(), command)
}

// openRoot opens the directory that -root names.
func (c *call) openRoot() (*pinning.Root, error) {
	root, err := pinning.OpenRoot(c.root)
	if name, ok := errors.AsType[*pinning.NameError](err); ok {
		return nil, wrongUsage("-root "+quote(c.root)+" "+name.What, c.command.name)
	}
	return root, err
}

// print shows a result: as JSON if that was asked for, else as table does.
func (c *call) print(result any, table func(io.Writer)) error {
	if !c.json {
		table(c.out)
		return nil
	}
	encoder := json.NewEncoder(c.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(result)
}

// rows writes a table: a line of headings, then the rows, each with as many cells.
func rows(out io.Writer, indent string, headings string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, indent+strings.ReplaceAll(headings, " ", "\t"))
	for _, row := range rows {
		fmt.Fprintln(table, indent+strings.Join(row, "\t"))
	}
	table.Flush()
}
