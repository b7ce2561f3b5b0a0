package link

import (
	"bytes"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// Tracepoint attaches a program of the type tracepoint to a static tracepoint, as a directory below events in tracefs names it.
type Tracepoint struct {
	Group  string // "sched", "syscalls"
	Name   string // "sched_switch", "sys_enter_openat"
	Cookie uint64 // what bpf_get_attach_cookie gives the program: Linux 5.15
}

// Attach opens a perf event on the tracepoint and attaches to it: a link from Linux 5.15; before, the result is not [Link.Pinnable]. The program
// runs on all CPUs. It needs CAP_BPF and CAP_PERFMON, and tracefs mounted at /sys/kernel/tracing or /sys/kernel/debug/tracing.
func (t Tracepoint) Attach(program *sys.FD) (*Link, error) {
	l, err := t.attach(program)
	if err != nil {
		return nil, sys.Fail("attach to tracepoint", t.Group+"/"+t.Name, err, tracepointAdvice(err))
	}
	return l, nil
}

func (t Tracepoint) attach(program *sys.FD) (*Link, error) {
	if anyClosed(program) {
		return nil, sys.ErrClosed
	}
	id, err := t.id()
	if err != nil {
		return nil, err
	}
	// The kernel runs the programs of a tracepoint wherever it is hit, so an event on one CPU does for all (perf_trace_run_bpf_submit).
	event, err := openEvent(Event{Type: unix.PERF_TYPE_TRACEPOINT, Config: id, TID: -1, CPU: 0, Period: 1})
	if err != nil {
		return nil, err
	}
	defer event.Close()
	return attachEvent(event, program, t.Cookie, t.Name)
}

// id reads the number that perf knows the tracepoint by. Tracefs is mounted in either of two places by custom.
func (t Tracepoint) id() (uint64, error) {
	if !isEventName(t.Group) || !isEventName(t.Name) {
		return 0, unix.ENOENT
	}
	path := "tracing/events/" + t.Group + "/" + t.Name + "/id"
	raw, err := unix.Open("/sys/kernel/"+path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT {
		raw, err = unix.Open("/sys/kernel/debug/"+path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		return 0, err
	}
	defer unix.Close(raw)
	return readID(raw)
}

// readID reads a line that holds a decimal number. (strconv.ParseUint would bring 5 KB along for its errors.)
func readID(raw int) (uint64, error) {
	line := make([]byte, 16)
	n, err := unix.Read(raw, line)
	if err != nil {
		return 0, err
	}
	line = bytes.TrimSuffix(line[:n], []byte("\n"))
	if len(line) == 0 || len(line) > 10 {
		return 0, unix.EBADMSG
	}
	var id uint64
	for _, digit := range line {
		if digit < '0' || digit > '9' {
			return 0, unix.EBADMSG
		}
		id = 10*id + uint64(digit-'0')
	}
	return id, nil
}

// isEventName keeps a name from being a path to somewhere else.
func isEventName(name string) bool {
	return name != "" && name != "." && name != ".." && !text.Has(name, '/')
}

func tracepointAdvice(err error) string {
	if err == unix.ENOENT {
		return "no such tracepoint in /sys/kernel/tracing/events; if that is empty: mount -t tracefs tracefs /sys/kernel/tracing"
	}
	return perfAdvice(err)
}
