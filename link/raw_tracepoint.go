package link

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// RawTracepoint attaches a program of the type raw_tracepoint or raw_tracepoint_writable to a tracepoint's raw arguments.
type RawTracepoint struct {
	Name   string // as in the kernel's sources, without a group: "sys_enter", "sched_switch"
	Cookie uint64 // what bpf_get_attach_cookie gives the program: Linux 6.10
}

// Attach makes a raw tracepoint link. It needs CAP_BPF and CAP_PERFMON.
func (r RawTracepoint) Attach(program *sys.FD) (*Link, error) {
	l, err := r.create(program)
	if err != nil {
		return nil, sys.Fail("attach to raw tracepoint", r.Name, err, r.advice(err))
	}
	return l, nil
}

func (r RawTracepoint) create(program *sys.FD) (*Link, error) {
	if anyClosed(program) {
		return nil, sys.ErrClosed
	}
	name, err := sys.CString(r.Name)
	if err != nil {
		return nil, err
	}
	return newLink(sys.RawTracepointOpen(&sys.RawTracepointOpenAttr{Name: name, ProgFD: program.Attr(), Cookie: r.Cookie}))
}

func (r RawTracepoint) advice(err error) string {
	if err == unix.ENOENT {
		return "the kernel has no tracepoint of this name; raw tracepoints are named without a group"
	}
	return advise(err, "4.17, for a cookie 6.10", "CAP_PERFMON")
}
