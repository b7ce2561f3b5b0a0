// Command vmtest runs Go tests on a matrix of kernels, in virtual machines. docs/kernel-matrix.md tells how to use it; tools/vmtest.sh
// builds and runs it.
//
// It exits with 0 if everything that had to run did and passed, 1 if something failed, and 2 if it was called wrongly.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/pinion-bpf/pinion/internal/testvm"
	"github.com/pinion-bpf/pinion/internal/testvm/kernels"
	"github.com/pinion-bpf/pinion/internal/testvm/report"
)

// The exit statuses.
const (
	passed  = 0
	failed  = 1
	misused = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process around it.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	o, err := parse(args, errOut)
	if errors.Is(err, errHelp) {
		return passed
	} else if err != nil {
		fmt.Fprintln(errOut, "vmtest:", err)
		return misused
	}
	err = o.run(ctx, out, errOut)
	if err != nil {
		fmt.Fprintln(errOut, "vmtest:", err)
		return failed
	}
	return passed
}

func (o *options) run(ctx context.Context, out, errOut io.Writer) error {
	all, missing := kernels.Finder{Log: errOut}.Find(ctx, o.lines)
	found, absent := apart(all)
	o.absent = absent
	if len(found) == 0 {
		return fmt.Errorf("no kernel: %w", errors.Join(append(absent, missing)...))
	}
	o.config.Kernels = found
	shown := newProgress(errOut, found)
	o.config.Report = shown.event
	if o.veryVerbose {
		o.config.Console = shown.console
	}
	matrix, err := testvm.Run(ctx, o.config)
	shown.end()
	if matrix != nil {
		err = errors.Join(err, o.write(matrix, err, out))
	}
	if missing != nil {
		err = errors.Join(err, fmt.Errorf("kernels that are required are missing: %w", missing))
	}
	return err
}

// apart parts the kernels that can be booted from those of lines that are wanted and cannot be had.
func apart(all []kernels.Kernel) (found []kernels.Kernel, absent []error) {
	for _, k := range all {
		if k.Missing != nil {
			absent = append(absent, k.Missing)
		} else {
			found = append(found, k)
		}
	}
	return found, absent
}

// write writes the table, and the files that were asked for.
func (o *options) write(m *report.Matrix, failures error, out io.Writer) error {
	if err := m.WriteDetails(out); err != nil {
		return err
	}
	if o.logs {
		if err := m.WriteLogs(out); err != nil {
			return err
		}
	}
	fmt.Fprintln(out)
	if err := m.WriteTable(out, o.verbose); err != nil {
		return err
	}
	if o.verbose {
		writePhases(m, out)
	}
	for _, finding := range m.HostOnly() {
		fmt.Fprintln(out, "left to the host:", finding)
	}
	for _, line := range o.absent {
		fmt.Fprintln(out, "note: not run:", line)
	}
	for i := range m.Columns {
		for _, note := range m.Columns[i].Notes {
			fmt.Fprintf(out, "note: %s: %s\n", m.Columns[i].Line, note)
		}
	}
	if !m.Whole() {
		fmt.Fprintln(out, "note: the newest kernel is not among these, so a test that was skipped on all of them is no failure")
	}
	return errors.Join(
		writeFile(o.junit, m.WriteJUnit),
		writeFile(o.markdown, func(to io.Writer) error { return m.WriteMarkdown(to, listed(failures)) }),
	)
}

// listed gives the single failures.
func listed(err error) []error {
	if many, ok := err.(interface{ WrappedErrors() []error }); ok {
		return many.WrappedErrors()
	}
	return nil
}

func writePhases(m *report.Matrix, out io.Writer) {
	fmt.Fprintln(out)
	for _, p := range m.Phases {
		fmt.Fprintf(out, "time: %6.2f s  %s\n", p.Took.Seconds(), p.Name)
	}
	for _, c := range m.Columns {
		var parts []string
		for _, p := range c.Phases {
			parts = append(parts, fmt.Sprintf("%s %.2f s", p.Name, p.Took.Seconds()))
		}
		fmt.Fprintf(out, "time: %s (%s): %s\n", c.Line, c.Release, strings.Join(parts, ", "))
	}
}

func writeFile(path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}
