package pinning_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
)

// childVariable makes the test binary carry out one task, in JSON, in the place of the tests. So faults come from outside the process that
// suffers them.
const childVariable = "PINION_TEST_CHILD"

// task is one operation on one object, done by a child or by the test itself.
type task struct {
	Do      string // a name in operations
	Object  string
	Root    string
	Cgroup  string // to attach to; "" attaches by section
	Outside string // a map that an override places outside the tree
	Errno   unix.Errno
	Files   int // how many descriptors it may have open beside the ones it begins with; 0 for no limit
}

// answer is what a child says of its task.
type answer struct {
	Error string // "" if it succeeded
	Is    bool   // the error wraps the task's errno
}

// operations leave no handle open.
var operations = map[string]func(*pinning.Root, *object.Spec, *pinning.Options) error{
	"pin": func(root *pinning.Root, spec *object.Spec, opts *pinning.Options) error {
		obj, err := spec.Load(opts.Load)
		if err != nil {
			return err
		}
		if err = opts.Attach(obj); err == nil {
			err = root.Pin(obj, opts)
		}
		return errors.Join(err, obj.Close())
	},
	"load": func(root *pinning.Root, spec *object.Spec, opts *pinning.Options) error {
		return closed(root.Load(spec, opts))
	},
	"ensure": func(root *pinning.Root, spec *object.Spec, opts *pinning.Options) error {
		return closed(root.Ensure(spec, opts))
	},
	"unpin": func(root *pinning.Root, spec *object.Spec, _ *pinning.Options) error {
		return root.Unpin(spec.Name, nil)
	},
}

func closed(obj *object.Object, err error) error {
	if err != nil {
		return err
	}
	return obj.Close()
}

// run does the task in this process.
func (c task) run() (err error) {
	spec, err := object.Open(filepath.Join("../testdata/bpf", c.Object+".bpf.o"))
	if err != nil {
		return err
	}
	root, err := pinning.OpenRoot(c.Root)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	opts := &pinning.Options{
		Load: &object.LoadOptions{Workers: 1}, Attach: attachBySection,
		Overrides: []pinning.Override{{Kind: pinning.KindMap, Name: c.Outside, Path: "out/side/" + strings.Trim(c.Outside, ".")}},
	}
	if c.Cgroup != "" {
		dir, err := link.OpenCgroup(c.Cgroup)
		if err != nil {
			return err
		}
		defer dir.Close()
		opts.Attach = func(obj *object.Object) error { return attachAll(obj, dir) }
	}
	if c.Files > 0 {
		unlimit, err := limitFiles(c.Files)
		if err != nil {
			return err
		}
		defer unlimit()
	}
	return operations[c.Do](root, spec, opts)
}

// limitFiles leaves the process so many descriptors to open, until unlimit: what writes coverage at its end needs more. The lowest one that
// is free has none above it in use.
func limitFiles(more int) (unlimit func(), err error) {
	free, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	var old unix.Rlimit
	err = errors.Join(unix.Close(free), unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
	if err == nil {
		err = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(free + more), Max: old.Max})
	}
	return func() { unix.Setrlimit(unix.RLIMIT_NOFILE, &old) }, err
}

// child does the task of childVariable, all of it on one thread: strace counts the calls of each thread for itself.
func child() int {
	runtime.LockOSThread()
	var c task
	err := json.Unmarshal([]byte(os.Getenv(childVariable)), &c)
	if err == nil {
		err = c.run()
	}
	var says answer
	if err != nil {
		says = answer{err.Error(), errors.Is(err, c.Errno)}
	}
	if err := json.NewEncoder(os.Stdout).Encode(says); err != nil {
		return 1
	}
	return 0
}

// command is a child that does the task; with options, under strace.
func (c task) command(t testing.TB, options ...string) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(c)
	check(t, err)
	self, err := os.Executable()
	check(t, err)
	command := exec.Command(self)
	if len(options) > 0 {
		command = exec.Command("strace", slices.Concat([]string{"-f", "-qq"}, options, []string{self})...)
	}
	command.Env = append(os.Environ(), childVariable+"="+string(text))
	return command
}

// inChild has a child do the task; with options, under strace, and then gives what that writes, a call a line.
func (c task) inChild(t testing.TB, options ...string) (says answer, calls []string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "strace")
	if len(options) > 0 {
		options = append(options, "--seccomp-bpf", "-o", log)
	}
	command := c.command(t, options...)
	var complaint strings.Builder
	command.Stderr = &complaint
	said, err := command.Output()
	if err == nil {
		err = json.Unmarshal(said, &says)
	}
	if err != nil {
		t.Fatalf("child: %v\n%s%s", err, said, &complaint)
	}
	if len(options) == 0 {
		return says, nil
	}
	traced, err := os.ReadFile(log)
	check(t, err)
	return says, strings.Split(strings.TrimSpace(string(traced)), "\n")
}

// tracedCall is one that a task makes.
type tracedCall struct {
	kind string // "bpf"
	n    int    // of its kind, from 1 on
	line string // as strace shows it
}

// calls gives the calls of some kinds that the task makes, but for those that Go makes before its main function.
func (c task) calls(t testing.TB, kinds ...string) (all []tracedCall) {
	t.Helper()
	says, lines := c.inChild(t, "-e", "trace="+strings.Join(kinds, ","))
	if says.Error != "" {
		t.Fatal(says.Error)
	}
	count, kind := make(map[string]int), regexp.MustCompile(`^\d+ +(\w+)\(`)
	for _, line := range lines {
		name := kind.FindStringSubmatch(line)
		if name == nil || strings.Contains(line, " EAGAIN ") {
			continue // the end of a call that was interrupted; one that a signal had made once more, which it may not be next time
		}
		count[name[1]]++
		if !strings.Contains(line, `(AT_FDCWD, "/proc/self/`) && !strings.Contains(line, `(AT_FDCWD, "/sys/`) {
			all = append(all, tracedCall{name[1], count[name[1]], line})
		}
	}
	return all
}

// withFault has a child do the task while strace does to calls what its option inject says. Those that were made to fail come back.
func (c task) withFault(t testing.TB, fault string) (says answer, failed string) {
	t.Helper()
	kind, _, _ := strings.Cut(fault, ":")
	says, calls := c.inChild(t, "-e", "trace="+kind, "-e", "inject="+fault)
	for _, call := range calls {
		if strings.Contains(call, "(INJECTED)") {
			failed += call + "\n"
		}
	}
	return says, failed
}

// killedAt has a child killed that is about to make a call, and reports whether it came so far. strace delivers no signals with seccomp.
func (c task) killedAt(t testing.TB, call tracedCall) bool {
	t.Helper()
	inject := fmt.Sprintf("inject=%s:signal=KILL:when=%d", call.kind, call.n)
	err := c.command(t, "-o", os.DevNull, "-e", "trace="+call.kind, "-e", inject).Run()
	exit := (*exec.ExitError)(nil)
	return errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
}
