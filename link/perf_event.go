package link

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// Event is a perf event to be opened: the arguments of perf_event_open(2) that a program's author chooses.
type Event struct {
	Type   uint32 // unix.PERF_TYPE_SOFTWARE, …_HARDWARE, …_TRACEPOINT
	Config uint64 // which of that type: unix.PERF_COUNT_SW_CPU_CLOCK
	TID    int    // the thread to watch, 0 for the calling one, -1 for all on a CPU
	CPU    int    // the CPU to watch; -1 for wherever the thread runs

	// One of both: after how many events, or how often a second, a program runs.
	Period    uint64
	Frequency uint64
}

// OpenEvent opens a perf event for a program to be attached with [PerfEvent]. It needs CAP_PERFMON, or what
// /proc/sys/kernel/perf_event_paranoid says.
func OpenEvent(e Event) (*sys.FD, error) {
	event, err := openEvent(e)
	if err != nil {
		return nil, sys.Fail("open perf event", "", err, perfAdvice(err))
	}
	return event, nil
}

func openEvent(e Event) (*sys.FD, error) {
	attr := unix.PerfEventAttr{
		Type:        e.Type,
		Size:        uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Config:      e.Config,
		Sample:      e.Period,
		Sample_type: unix.PERF_SAMPLE_RAW,
		Wakeup:      1,
	}
	if e.Frequency != 0 {
		attr.Sample = e.Frequency
		attr.Bits |= unix.PerfBitFreq
	}
	raw, err := unix.PerfEventOpen(&attr, e.TID, e.CPU, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return sys.NewFD(raw)
}

// PerfEvent attaches a program of the type perf_event, or tracepoint or kprobe for an event of that kind, to a perf event.
type PerfEvent struct {
	FD     *sys.FD // of perf_event_open(2); stays the caller's, and may be closed once attached if the link is [Link.Pinnable]
	Cookie uint64  // what bpf_get_attach_cookie gives the program: Linux 5.15
}

// Attach attaches to the event and enables it. Linux 5.15 makes a link; before, the event itself is what a program is attached to: the
// result is not [Link.Pinnable], and the program runs until FD is closed too. It needs CAP_BPF and CAP_PERFMON; EEXIST if the event has a program.
func (p PerfEvent) Attach(program *sys.FD) (*Link, error) {
	l, err := attachEvent(p.FD, program, p.Cookie, "")
	if err != nil {
		return nil, sys.Fail("attach to perf event", "", err, perfAdvice(err))
	}
	return l, nil
}

// attachEvent attaches a program to a perf event, which stays the caller's. name is what [Info] tells if there is no link.
func attachEvent(event, program *sys.FD, cookie uint64, name string) (*Link, error) {
	if anyClosed(event, program) {
		return nil, sys.ErrClosed
	}
	l, err := newLink(sys.LinkCreatePerfEvent(&sys.LinkCreatePerfEventAttr{
		ProgFD:     program.Attr(),
		TargetFD:   event.Attr(),
		AttachType: sys.AttachTypePerfEvent,
		BPFCookie:  cookie,
	}))
	if err == unix.EINVAL && cookie == 0 {
		// What Linux before 5.15 answers. If the program does not fit, this way answers EINVAL too.
		l, err = attachWithoutLink(event, program, name)
	}
	if err != nil {
		return nil, err
	}
	if err := unix.IoctlSetInt(event.Int(), unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// attachWithoutLink makes a program the event's own. It is detached when the last descriptor of the event is closed.
func attachWithoutLink(event, program *sys.FD, name string) (*Link, error) {
	_, id, err := sys.KindOf(program)
	if err != nil {
		return nil, err
	}
	held, err := event.Dup()
	if err != nil {
		return nil, err
	}
	if err := unix.IoctlSetInt(held.Int(), unix.PERF_EVENT_IOC_SET_BPF, program.Int()); err != nil {
		held.Close()
		return nil, err
	}
	return &Link{fd: held, kind: sys.LinkTypePerfEvent, event: &Info{
		Type:       sys.LinkTypePerfEvent,
		ProgramID:  id,
		AttachType: sys.AttachTypePerfEvent,
		Name:       name,
		Attached:   true,
	}}, nil
}

func perfAdvice(err error) string {
	switch errno, _ := err.(unix.Errno); errno {
	case unix.EEXIST:
		return "the perf event has a program already: open another"
	case unix.EBADF:
		return "FD is no perf event"
	case unix.ENOENT, unix.EOPNOTSUPP:
		return "this machine has no such event; virtual machines often have no hardware events"
	}
	return advise(err, "4.9, for a cookie 5.15", "CAP_PERFMON")
}
