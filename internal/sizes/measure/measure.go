// Package measure builds small programs as a static agent is shipped, and compares what comes out with the budgets.
package measure

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// KB is the unit of the budgets: 1000 bytes.
const KB = 1000

// The programs that are measured. Each but the first is a folder of examples.
const (
	Empty      = "empty" // a Go program that does nothing
	ReaderBare = "reader_bare"
	Reader     = "reader"
	Agent      = "agent"
)

// The names of the budgets.
const (
	ReaderBudget = "reader over reader_bare"
	AgentBudget  = "agent without its object over empty"
)

// agentObject is the object that the agent carries, from the top of the module.
const agentObject = "testdata/bpf/counter.bpf.o"

// Sizes are the sizes of the programs in bytes, and that of the object in the agent. The linker rounds each segment of a program up to
// whole pages, of 4 KiB on amd64 and of 64 KiB on arm64: differences are no finer than that.
type Sizes struct {
	Programs map[string]int64
	Object   int64
}

// A Budget is what a program may be larger than another, and is.
type Budget struct {
	Name  string
	Used  int64 // bytes
	Limit int64 // bytes
}

// Over is by how many bytes the program is too large, 0 if it keeps to it.
func (b Budget) Over() int64 { return max(b.Used-b.Limit, 0) }

// Kept tells whether the program keeps to it.
func (b Budget) Kept() bool { return b.Over() == 0 }

// Budgets compares programs of one architecture with what they may cost.
func (s Sizes) Budgets() []Budget {
	return []Budget{
		{ReaderBudget, s.Programs[Reader] - s.Programs[ReaderBare], 40 * KB},
		{AgentBudget, s.Programs[Agent] - s.Object - s.Programs[Empty], 350 * KB},
	}
}

// Measure builds the programs for Linux on an architecture (a GOARCH) from the module at top.
func Measure(top, arch string) (Sizes, error) {
	sizes := Sizes{Programs: make(map[string]int64)}
	object, err := os.Stat(filepath.Join(top, agentObject))
	if err != nil {
		return sizes, err
	}
	sizes.Object = object.Size()
	dir, err := os.MkdirTemp("", "sizes")
	if err != nil {
		return sizes, err
	}
	defer os.RemoveAll(dir)
	main := filepath.Join(dir, Empty+".go")
	if err := os.WriteFile(main, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		return sizes, err
	}
	for name, source := range map[string]string{
		Empty:      main,
		ReaderBare: "./examples/reader_bare",
		Reader:     "./examples/reader",
		Agent:      "./examples/agent",
	} {
		if sizes.Programs[name], err = build(top, source, filepath.Join(dir, name), arch); err != nil {
			return sizes, err
		}
	}
	return sizes, nil
}

// build gives the size of what it builds.
func build(top, source, out, arch string) (int64, error) {
	command := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, source)
	command.Dir = top
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if said, err := command.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build %s for %s: %w\n%s", source, arch, err, said)
	}
	binary, err := os.Stat(out)
	if err != nil {
		return 0, err
	}
	return binary.Size(), nil
}
