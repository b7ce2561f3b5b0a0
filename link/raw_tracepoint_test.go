package link_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

func TestRawTracepointRuns(t *testing.T) {
	counter := newCounter(t)
	counting := program{kind: sys.ProgTypeRawTracepoint, code: counts(counter, 0)}.load(t)
	attach(t, link.RawTracepoint{Name: "sys_enter"}, counting)
	before := count(t, counter)
	unix.Getppid()
	if after := count(t, counter); after <= before {
		t.Errorf("%d runs before a system call, %d after it", before, after)
	}
}

func TestRawTracepointCookie(t *testing.T) {
	testenv.Kernel(t, "6.10", "cookies of raw tracepoints")
	l := attach(t, link.RawTracepoint{Name: "sys_enter", Cookie: 0x1122334455667788}, rawTP.load(t))
	if cookie := rawTracepointCookie(t, l); cookie != 0x1122334455667788 {
		t.Errorf("cookie %#x", cookie)
	}
}

func rawTracepointCookie(t *testing.T, l *link.Link) uint64 {
	t.Helper()
	var info sys.RawTracepointLinkInfo
	_, err := sys.GetInfo(l.FD(), &info)
	check(t, err)
	return info.Cookie
}

func TestRawTracepointErrors(t *testing.T) {
	program := rawTP.load(t)
	_, err := link.RawTracepoint{Name: "sched/sched_switch"}.Attach(program)
	wantError(t, err, unix.ENOENT)
	wantAdvice(t, err, "attach to raw tracepoint sched/sched_switch: no such file or directory (the kernel has no tracepoint")
	for _, name := range []string{"", "sys_enter\x00", string(make([]byte, 5000))} {
		_, err = link.RawTracepoint{Name: name}.Attach(program)
		wantError(t, err)
	}
}
