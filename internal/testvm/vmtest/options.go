package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/pinion-bpf/pinion/internal/testvm"
)

// errHelp tells that help was asked for, and given.
var errHelp = flag.ErrHelp

// options is what the command line says.
type options struct {
	config      testvm.Config
	lines       []string // of kernels
	absent      []error  // why lines that are wanted are not run
	verbose     bool
	veryVerbose bool
	logs        bool
	junit       string
	markdown    string
}

const usage = `usage: vmtest [flags] [packages or compiled test binaries]

Runs Go tests on other kernels, in virtual machines. Without packages, it runs the tests in the current directory.

`

func parse(args []string, errOut io.Writer) (*options, error) {
	o := &options{}
	c := &o.config
	flags := flag.NewFlagSet("vmtest", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	lines := flags.String("k", "all", "`kernels` to run on: 5.10,6.1 or all")
	backend := flags.String("b", "qemu", "back `end`: qemu or vng")
	flags.IntVar(&c.Jobs, "j", 0, "run `N` machines at once (half as many as there are processors)")
	flags.StringVar(&c.Run, "run", "", "run only tests whose names match `REGEX`")
	flags.DurationVar(&c.Timeout, "timeout", 0, "how `long` the tests of a package may take (5m)")
	flags.IntVar(&c.MemMiB, "mem", 0, "memory of each machine, in `MiB` (1024)")
	flags.IntVar(&c.CPUs, "smp", 0, "processors of each `machine` (1)")
	flags.StringVar(&c.Append, "append", "", "further `parameters` of the kernel")
	flags.BoolVar(&o.verbose, "v", false, "show every test, and how long each phase took")
	flags.BoolVar(&o.veryVerbose, "vv", false, "as -v, and show what the kernels say")
	flags.BoolVar(&o.logs, "logs", false, "show what the tests wrote that passed, too")
	flags.StringVar(&o.junit, "junit", "", "write the results to `FILE` as JUnit XML")
	flags.StringVar(&o.markdown, "markdown", "", "write the table to `FILE` as Markdown")
	flags.StringVar(&c.CoverProfile, "coverprofile", "", "write the merged coverage profile to `FILE`")
	flags.StringVar(&c.CoverPackages, "coverpkg", "", "measure the coverage of these `packages`, as -coverpkg of go test")
	flags.Var((*list)(&c.Modules), "module", "load the kernel module `NAME`, and those it needs, before the tests; may be repeated")
	flags.Var((*list)(&c.Files), "file", "put a file, a directory or a program, with its libraries, into the guest: `HOST[:GUEST]`; may be repeated")
	flags.Var((*list)(&c.Env), "env", "set `K=V` in the tests' environment; may be repeated")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(errOut, usage)
		flags.SetOutput(errOut)
		flags.PrintDefaults()
		return nil, errHelp
	} else if err != nil {
		return nil, fmt.Errorf("%w: see vmtest -h", err)
	}
	o.verbose = o.verbose || o.veryVerbose
	o.lines = strings.Split(*lines, ",")
	c.Packages = flags.Args()
	for _, env := range c.Env {
		if name, _, ok := strings.Cut(env, "="); !ok || name == "" {
			return nil, fmt.Errorf("-env %s: want K=V", env)
		}
	}
	var err error
	c.Backend, err = testvm.NewBackend(*backend)
	return o, err
}

// A list is a flag that may be given more than once.
type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}
