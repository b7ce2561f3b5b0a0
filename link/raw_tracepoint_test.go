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
	waitForCall(t, counter)
}

func TestRawTracepointCookie(t *testing.T) {
	testenv.Kernel(t, "6.10", "cookies of raw tracepoints")
	stored := newCounter(t)
	storing := program{kind: sys.ProgTypeRawTracepoint, code: storesCookie(stored)}.load(t)
	const cookie = 0x1122334455667788
	attach(t, link.RawTracepoint{Name: "sys_enter", Cookie: cookie}, storing)
	waitUntil(t, "the cookie to be stored", func() bool {
		unix.Getppid()
		return count(t, stored) == cookie
	})
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
