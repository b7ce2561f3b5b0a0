package faults

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A Moment of a call is when its process is killed.
type Moment uint8

// The moments.
const (
	Never  Moment = iota
	Before        // the call is not made
	After         // the call was made, and its process does not learn what came of it
)

// A Fault happens to one call.
type Fault struct {
	At    int        // the number of the call
	Call  string     // only calls of that name are counted, unless ""
	Errno unix.Errno // it fails with that, unless 0
	Rest  bool       // all that follow and are of its kind fail like it
	Kill  Moment
}

func (f Fault) String() string {
	switch {
	case f.Kill == Before:
		return "killed before"
	case f.Kill == After:
		return "killed after"
	case f.Rest:
		return unix.ErrnoName(f.Errno) + " from then on"
	}
	return unix.ErrnoName(f.Errno)
}

// A Hit is a fault that happened.
type Hit struct {
	Call  Call
	Fault Fault
}

// An Outcome is what became of a traced child.
type Outcome struct {
	Answer
	Calls  []Call
	Hit    []Hit  // what was made to happen
	Killed bool   // as it was to be
	Broken string // how it ended that may not be: a panic, a deadline that passed; "" if it did not
}

// A Tracer traces one child, which does one task after the other until it is killed. All calls must be made by one goroutine that is locked to its
// thread: only the thread that starts a child may trace it.
type Tracer struct {
	Deadline time.Duration // how long a task may take; 0 for longer than any takes that does not hang

	child *child // nil while there is none
	idle  int    // its thread that waits for a task

	faults     []Fault
	noExchange bool // the kernel is to refuse to exchange two files, as before Linux 5.16
	counting   bool // the operation has begun, and is not over
	rest       map[string]unix.Errno
	leaving    int // the thread whose call, when it was made, is its last one
	outcome    Outcome
}

// traced is what the tracer asks of the kernel: to see all threads, to be stopped at by the filter, and to take the child along if it dies.
const traced = unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC |
	unix.PTRACE_O_TRACESECCOMP | unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_EXITKILL

// Do has the child do a task, lets the faults happen, and returns when that is done or the child is dead. If there is none, one is started.
func (t *Tracer) Do(task Task, noExchange bool, faults ...Fault) (Outcome, error) {
	t.faults, t.noExchange, t.counting = faults, noExchange, false
	t.rest, t.leaving, t.outcome = make(map[string]unix.Errno), 0, Outcome{}
	if t.child == nil {
		var err error
		if t.child, err = startChild("traced", true); err != nil {
			return Outcome{}, fmt.Errorf("start a child: %w", err)
		}
		if status, err := t.follow(true); err != nil || t.idle == 0 {
			return Outcome{}, fmt.Errorf("start a child: it ended with %#x, %w\n%s", int(status), err, t.child.end())
		}
	}
	if err := t.child.tell(task); err != nil {
		return Outcome{}, err
	}
	var late atomic.Bool
	process := t.child.process
	alarm := time.AfterFunc(t.deadline(), func() {
		late.Store(true)
		unix.Kill(process, unix.SIGKILL)
	})
	thread := t.idle
	t.idle = 0
	err := unix.PtraceCont(thread, 0)
	var status unix.WaitStatus
	if err == nil {
		status, err = t.follow(false)
	}
	alarm.Stop()
	if err != nil {
		t.Close()
		return Outcome{}, fmt.Errorf("trace the child: %w", err)
	}
	return t.ended(status, late.Load()), nil
}

// ended gives what became of a task, whose child is idle again or dead.
func (t *Tracer) ended(status unix.WaitStatus, late bool) Outcome {
	o := &t.outcome
	if t.idle != 0 {
		var err error
		if o.Answer, err = t.child.answer(); err != nil {
			o.Broken = err.Error()
		}
		return *o
	}
	complaint := t.child.end()
	t.child = nil
	switch {
	case late:
		o.Killed, o.Broken = false, "it did not end in "+t.deadline().String()
	case !o.Killed || !status.Signaled() || status.Signal() != unix.SIGKILL:
		o.Killed, o.Broken = false, fmt.Sprintf("it ended with status %#x\n%s", int(status), complaint)
	}
	return *o
}

// Close kills the child, if there is one.
func (t *Tracer) Close() {
	if t.child == nil {
		return
	}
	unix.Kill(t.child.process, unix.SIGKILL)
	t.idle = 0
	t.follow(false)
	t.child.end()
	t.child = nil
}

func (t *Tracer) deadline() time.Duration {
	if t.Deadline != 0 {
		return t.Deadline
	}
	if os.Getenv("PINION_VM") != "" {
		return 2 * time.Minute
	}
	return 20 * time.Second
}

// follow waits for what the child's threads do, until one is idle or the last one is dead. It does not look at children of other threads of this process.
func (t *Tracer) follow(begin bool) (unix.WaitStatus, error) {
	for t.idle == 0 {
		var status unix.WaitStatus
		thread, err := unix.Wait4(-1, &status, unix.WALL|unix.WNOTHREAD, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 0, err
		}
		if status.Exited() || status.Signaled() {
			if thread == t.child.process { // the kernel reports the first thread after all others
				return status, nil
			}
			continue
		}
		if begin {
			begin = false
			if err := unix.PtraceSetOptions(thread, traced); err != nil {
				return 0, err
			}
		}
		if err := t.stopped(thread, status); err != nil && err != unix.ESRCH { // the last says that it was killed meanwhile
			return 0, err
		}
	}
	return 0, nil
}

// stopped lets a thread go on that has stopped.
func (t *Tracer) stopped(thread int, status unix.WaitStatus) error {
	signal := status.StopSignal()
	switch {
	case signal == unix.SIGTRAP && status.TrapCause() == unix.PTRACE_EVENT_SECCOMP:
		return t.calls(thread)
	case signal == unix.SIGTRAP|0x80: // PTRACE_O_TRACESYSGOOD: the call was made
		if t.leaving == thread {
			return t.kill()
		}
		signal = 0
	case signal == unix.SIGTRAP, signal == unix.SIGSTOP: // the former are events, the latter the first stop of a new thread
		signal = 0
	}
	return unix.PtraceCont(thread, int(signal))
}

func (t *Tracer) kill() error {
	t.outcome.Killed = true
	return unix.Kill(t.child.process, unix.SIGKILL)
}

// number counts the calls of a name, all for "".
func (t *Tracer) number(name string) (n int) {
	for i := range t.outcome.Calls {
		if name == "" || t.outcome.Calls[i].Name == name {
			n++
		}
	}
	return n
}

// calls decides about a call.
func (t *Tracer) calls(thread int) error {
	number, args, err := entered(thread)
	if err != nil {
		return err
	}
	if number == numbers[marker] {
		switch t.counting = args[0] == markBegin; args[0] {
		case markIdle: // it stays stopped
			t.idle = thread
			return nil
		}
		return unix.PtraceCont(thread, 0)
	}
	if !t.counting {
		return unix.PtraceCont(thread, 0)
	}
	call := callOf(thread, number, args)
	if call == nil {
		return unix.PtraceCont(thread, 0)
	}
	call.N = len(t.outcome.Calls) + 1
	t.outcome.Calls = append(t.outcome.Calls, *call)
	return t.decide(thread, call)
}

// decide lets a call be made, refuses it, or kills the child.
func (t *Tracer) decide(thread int, call *Call) error {
	errno := t.rest[call.kind()]
	if t.noExchange && call.Name == "renameat2" && call.flags&unix.RENAME_EXCHANGE != 0 {
		errno = unix.EINVAL
	}
	for _, f := range t.faults {
		if n := t.number(f.Call); f.At != n || f.Call != "" && f.Call != call.Name {
			continue
		}
		t.outcome.Hit = append(t.outcome.Hit, Hit{*call, f})
		switch {
		case f.Kill == Before:
			return t.kill()
		case f.Kill == After:
			t.leaving = thread
			return unix.PtraceSyscall(thread, 0)
		case f.Rest:
			t.rest[call.kind()] = f.Errno
		}
		errno = f.Errno
	}
	if errno != 0 {
		if err := refuse(thread, errno); err != nil {
			return err
		}
	}
	return unix.PtraceCont(thread, 0)
}
