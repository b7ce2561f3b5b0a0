package faults

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// childVariable makes the test binary do tasks in the place of the tests. It is "traced" or "free".
const childVariable = "PINION_FAULTS_CHILD"

// A Task tells a child what to do, and where.
type Task struct {
	Operation string // its name
	Next      bool   // not Do of the operation, but Next
	Env
}

// An Env is where an operation is done.
type Env struct {
	Root   string // a directory on a bpffs
	Cgroup string // a directory of version 2, to attach to
	Seed   uint64 // for what is random
	Steps  int    // how often something random is done
	bench  *Bench // nil in a child
	traced bool   // this process is, and Begin starts it
}

// An Answer is what a child says of its task.
type Answer struct {
	Error string   // "" if it succeeded
	Begun bool     // Begin was called
	Left  []string // descriptors that were opened and not closed
}

// Begin is where faults begin in the child: what comes before is preparation. Elsewhere it does nothing.
func (e *Env) Begin() {
	if e.traced {
		e.traced = false
		mark(markBegin)
	}
}

// Die has a child do the operation of that name until it has made the n-th call of a name ("renameat2", "bpf OBJ_PIN"), and kills it then. It is for the
// preparation of another operation, which finds what the dead one left.
func (e *Env) Die(operation, call string, n int) error {
	of := find(e.bench.table, operation)
	if of == nil {
		return fmt.Errorf("there is no operation %q", operation)
	}
	outcome, err := e.bench.tracer.Do(Task{Operation: operation, Env: *e}, of.NoExchange, Fault{Call: call, At: n, Kill: After})
	if err == nil && !outcome.Killed {
		err = fmt.Errorf("%s made no %d calls of %s: %q %s", operation, n, call, outcome.Error, outcome.Broken)
	}
	return err
}

func find(table []*Operation, name string) *Operation {
	if i := slices.IndexFunc(table, func(o *Operation) bool { return o.Name == name }); i >= 0 {
		return table[i]
	}
	return nil
}

// IsChild tells whether this process is to do tasks: TestMain asks, and calls [Child].
func IsChild() bool { return os.Getenv(childVariable) != "" }

// Child does the tasks that come on standard input with the operations of a table, answers on standard output, and gives the exit status.
func Child(table []*Operation) int {
	traced := os.Getenv(childVariable) == "traced"
	if traced {
		if err := putFilter(); err != nil {
			return complain("seccomp", err)
		}
	}
	tasks, answers := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		mark(markIdle)
		line, err := tasks.ReadBytes('\n')
		if err != nil {
			return 0 // nobody has any more
		}
		var task Task
		if err := json.Unmarshal(line, &task); err != nil {
			return complain("task", err)
		}
		operation := find(table, task.Operation)
		if operation == nil {
			return complain("task", fmt.Errorf("there is no operation %q", task.Operation))
		}
		task.traced = traced
		if err := answers.Encode(operation.do(&task)); err != nil {
			return complain("answer", err)
		}
	}
}

func complain(what string, err error) int {
	fmt.Fprintln(os.Stderr, what+":", err)
	return 1
}

// do does a task, and looks for descriptors that it leaves.
func (o *Operation) do(task *Task) (answer Answer) {
	before := descriptors()
	do := o.Do
	if task.Next {
		do = o.Next
	}
	traced := task.traced
	err := do(&task.Env)
	mark(markEnd)
	answer.Begun = traced && !task.traced
	if err != nil {
		answer.Error = err.Error()
	}
	for fd, open := range descriptors() {
		if open && !before[fd] {
			is, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
			if is != "anon_inode:[eventpoll]" && is != "anon_inode:[eventfd]" { // which Go opens for itself
				answer.Left = append(answer.Left, fmt.Sprint(fd, " ", is))
			}
		}
	}
	return answer
}

// descriptors tells which are open, by a call at which a tracer does not stop.
func descriptors() (open [128]bool) {
	for fd := range open {
		var st unix.Stat_t
		open[fd] = unix.Fstat(fd, &st) == nil
	}
	return open
}
