// Package report holds what tests said on each kernel of a matrix, accounts for it, and writes it down: as a table, as JUnit XML, as
// Markdown. It only computes.
package report

import (
	"slices"
	"strings"
	"time"
)

// A Status is what became of a test.
type Status string

// What can become of a test.
const (
	Pass Status = "pass"
	Fail Status = "fail"
	Skip Status = "skip"
)

// A Test is one test or subtest on one kernel.
type Test struct {
	Name   string
	Status Status
	Reason string // why it was skipped or failed: the message that it gave
	Took   time.Duration
	Output string // the end of all that it wrote
}

// A Kind tells failures of a machine, a package or a run apart.
type Kind string

// What can go wrong beside tests that fail.
const (
	Panic    Kind = "panic"         // the guest's kernel panicked
	Hang     Kind = "hang"          // a deadline passed
	Memory   Kind = "out of memory" // the kernel killed something because memory was short
	Exit     Kind = "exit"          // a test binary ended with a status of its own
	Crash    Kind = "crash"         // a signal or a Go panic ended a test binary
	Start    Kind = "no start"      // QEMU, the guest or a binary could not be started
	Line     Kind = "line"          // frames are missing or damaged
	Console  Kind = "console"       // the kernel wrote BUG:, WARNING: or Oops
	Guest    Kind = "guest"         // the guest could not prepare something
	Canceled Kind = "canceled"      // the run was interrupted
)

// A Problem is a failure that is not a test's.
type Problem struct {
	Kind  Kind
	Text  string
	Words string // the last of what the kernel or the binary said
}

// A Result is one package on one kernel.
type Result struct {
	Package  string // as shown
	Tests    []Test
	Problems []Problem
	Took     time.Duration
	Output   string // what the binary wrote outside of tests, its end if it was much
}

// Status is Fail if anything failed, Skip if all was skipped, else Pass.
func (r *Result) Status() Status {
	status := Skip
	for _, t := range r.Tests {
		if t.Status == Fail {
			return Fail
		}
		if t.Status == Pass {
			status = Pass
		}
	}
	switch {
	case len(r.Problems) > 0:
		return Fail
	case len(r.Tests) == 0:
		return Pass // -run chose none of it
	}
	return status
}

// count gives how many tests, subtests not counted, have a status.
func (r *Result) count(status Status) (n int) {
	for _, t := range r.Tests {
		if t.Status == status && isTop(t.Name) {
			n++
		}
	}
	return n
}

// test finds a test by its name.
func (r *Result) test(name string) *Test {
	if r == nil {
		return nil
	}
	i := slices.IndexFunc(r.Tests, func(t Test) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return &r.Tests[i]
}

// A Phase is a part of the work and how long it took.
type Phase struct {
	Name string
	Took time.Duration
}

// A Column is one kernel of the matrix.
type Column struct {
	Line     string // "6.12"
	Release  string // as the guest gives it, "" if it never did
	Newest   bool
	Results  []Result
	Problems []Problem // of the machine, outside of packages
	Notes    []string  // what the guest could not prepare
	Phases   []Phase
}

// result finds a package's result.
func (c *Column) result(name string) *Result {
	i := slices.IndexFunc(c.Results, func(r Result) bool { return r.Package == name })
	if i < 0 {
		return nil
	}
	return &c.Results[i]
}

// Errors gives all that failed on the kernel, one error each.
func (c *Column) Errors() (all []error) {
	for _, f := range c.failures() {
		all = append(all, f)
	}
	return all
}

// failures gives all that failed. Tests that only failed with a subtest, or with their whole package, are left out: what they have to tell is there.
func (c *Column) failures() (all []*Failure) {
	for _, p := range c.Problems {
		all = append(all, &Failure{Kernel: c.Line, Problem: p})
	}
	for _, r := range c.Results {
		for _, p := range r.Problems {
			all = append(all, &Failure{Kernel: c.Line, Package: r.Package, Problem: p})
		}
		for _, t := range r.Tests {
			if t.Status == Fail && !r.toldElsewhere(t) {
				all = append(all, &Failure{Kernel: c.Line, Package: r.Package, Test: t.Name, Problem: Problem{Text: t.Reason, Words: t.Output}})
			}
		}
	}
	return all
}

func (r *Result) toldElsewhere(test Test) bool {
	return slices.ContainsFunc(r.Problems, func(p Problem) bool { return p.Text == test.Reason }) ||
		test.Reason == "" && slices.ContainsFunc(r.Tests, func(t Test) bool {
			return t.Status == Fail && strings.HasPrefix(t.Name, test.Name+"/")
		})
}

// A Failure is a problem, and where it was.
type Failure struct {
	Kernel, Package, Test string
	Problem
}

func (f *Failure) Error() string {
	where := f.Kernel
	for _, part := range []string{f.Package, f.Test} {
		if part != "" {
			where += " " + part
		}
	}
	if f.Kind != "" {
		where += ": " + string(f.Kind)
	}
	return where + ": " + f.Text
}

// A Matrix is a whole run.
type Matrix struct {
	Packages []string // that should have run, in order
	Columns  []Column
	Phases   []Phase
}
