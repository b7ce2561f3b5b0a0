package link_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

func TestTracepointRuns(t *testing.T) {
	testenv.Tracefs(t)
	counter := newCounter(t)
	counting := program{kind: sys.ProgTypeTracepoint, code: counts(counter, 0)}.load(t)
	l := attach(t, link.Tracepoint{Group: "raw_syscalls", Name: "sys_enter"}, counting)
	waitForCall(t, counter)
	// The program is freed after a grace period: it may still run a few times.
	check(t, l.Close())
	waitUntil(t, "the program to stop", func() bool {
		before := count(t, counter)
		unix.Getppid()
		return count(t, counter) == before
	})
}

func TestTracepointErrors(t *testing.T) {
	testenv.Tracefs(t)
	program := onTP.load(t)
	for _, at := range []link.Tracepoint{
		{Group: "sched", Name: "no_such"},
		{Group: "no_such", Name: "sched_switch"},
		{Group: "sched", Name: ""},
		{Group: "", Name: "sched_switch"},
		{Group: "..", Name: "events/sched/sched_switch"},
		{Group: "sched", Name: "../sched/sched_switch"},
	} {
		_, err := at.Attach(program)
		wantError(t, err, unix.ENOENT)
		wantAdvice(t, err, "no such tracepoint in")
	}
}

func TestTracepointWithoutTracefs(t *testing.T) {
	testenv.PrivateMounts(t)
	check(t, unix.Mount("none", "/sys/kernel", "tmpfs", 0, ""))
	_, err := link.Tracepoint{Group: "sched", Name: "sched_switch"}.Attach(onTP.load(t))
	wantError(t, err, unix.ENOENT)
	wantAdvice(t, err, "attach to tracepoint sched/sched_switch: no such file or directory (no such tracepoint in /sys/kernel/tracing/events; if that is empty: mount -t tracefs")
}

// TestTracepointGarbage reads an id that is no number.
func TestTracepointGarbage(t *testing.T) {
	testenv.PrivateMounts(t)
	check(t, unix.Mount("none", "/sys/kernel", "tmpfs", 0, ""))
	for _, dir := range []string{"", "/events", "/events/a", "/events/a/b"} {
		check(t, unix.Mkdir("/sys/kernel/tracing"+dir, 0o755))
	}
	program := onTP.load(t)
	for _, text := range []string{"", "-1\n", "x", "99999999999999999999", "18446744073709551615"} {
		writeFile(t, "/sys/kernel/tracing/events/a/b/id", text)
		_, err := link.Tracepoint{Group: "a", Name: "b"}.Attach(program)
		wantError(t, err)
	}
}
