package link_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

// clock opens a perf event that the running time of the test's thread makes, every 100 µs.
func clock(t testing.TB) *sys.FD {
	t.Helper()
	return openClock(t, link.Event{Period: 100_000})
}

// openClock opens the software clock of the test's thread, which the test keeps.
func openClock(t testing.TB, e link.Event) *sys.FD {
	t.Helper()
	testenv.Root(t)
	runtime.LockOSThread()
	e.Type, e.Config, e.TID, e.CPU = unix.PERF_TYPE_SOFTWARE, unix.PERF_COUNT_SW_CPU_CLOCK, unix.Gettid(), -1
	event, err := link.OpenEvent(e)
	check(t, err)
	t.Cleanup(func() { event.Close() })
	return event
}

// onClock is a program for clock that counts.
func onClock(counter *sys.FD) program {
	return program{kind: sys.ProgTypePerfEvent, code: counts(counter, 0)}
}

// burnUntil keeps the CPU busy until the counter exceeds n.
func burnUntil(t testing.TB, counter *sys.FD, n uint64) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); count(t, counter) <= n; {
		if time.Now().After(deadline) {
			t.Fatalf("the program ran %d times in 10 s, want more than %d", count(t, counter), n)
		}
	}
}

func TestPerfEventRuns(t *testing.T) {
	counter, event := newCounter(t), clock(t)
	l := attach(t, link.PerfEvent{FD: event}, onClock(counter).load(t))
	if l.Pinnable() {
		check(t, event.Close()) // the link holds it
	}
	burnUntil(t, counter, 3)
}

func TestPerfEventIsEnabled(t *testing.T) {
	counter, event := newCounter(t), clock(t)
	check(t, unix.IoctlSetInt(event.Int(), unix.PERF_EVENT_IOC_DISABLE, 0))
	attach(t, link.PerfEvent{FD: event}, onClock(counter).load(t))
	burnUntil(t, counter, 0)
}

func TestPerfEventFrequency(t *testing.T) {
	counter, event := newCounter(t), openClock(t, link.Event{Frequency: 997})
	attach(t, link.PerfEvent{FD: event}, onClock(counter).load(t))
	burnUntil(t, counter, 1)
}

func TestPerfEventErrors(t *testing.T) {
	event, program := clock(t), onEvent.load(t)
	attach(t, link.PerfEvent{FD: event}, program)

	_, err := link.PerfEvent{FD: event}.Attach(program)
	wantError(t, err, unix.EEXIST)
	wantAdvice(t, err, "open another")
	_, err = link.PerfEvent{FD: newCounter(t)}.Attach(program)
	wantError(t, err)
	_, err = link.PerfEvent{}.Attach(program)
	wantError(t, err, sys.ErrClosed)
	_, err = link.OpenEvent(link.Event{Type: 1 << 20, TID: -1})
	wantError(t, err, unix.ENOENT)
	wantAdvice(t, err, "no such event")
}

// TestPerfEventWithoutLink does on every kernel what Attach does before Linux 5.15.
func TestPerfEventWithoutLink(t *testing.T) {
	counter, event := newCounter(t), clock(t)
	program := onClock(counter).load(t)
	l, err := link.AttachWithoutLink(event, program, "clock")
	check(t, err)
	t.Cleanup(func() { check(t, l.Close()) })
	burnUntil(t, counter, 3)

	got, err := l.Info()
	check(t, err)
	want := link.Info{
		Type:       sys.LinkTypePerfEvent,
		ProgramID:  programID(t, program),
		AttachType: sys.AttachTypePerfEvent,
		Name:       "clock",
		Attached:   true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if l.Pinnable() || l.CanUpdate() || l.CanDetach() || l.ID() != 0 {
		t.Errorf("pinnable %v, can update %v, can detach %v, id %d", l.Pinnable(), l.CanUpdate(), l.CanDetach(), l.ID())
	}
	wantError(t, l.Update(program, nil), link.ErrNoUpdate)
	wantError(t, l.Detach(), link.ErrNoDetach)

	check(t, event.Close()) // the link holds it
	burnUntil(t, counter, count(t, counter))
	check(t, l.Close())
	_, err = l.Info()
	wantError(t, err, sys.ErrClosed)
}

// wantAdvice checks what an error says to do.
func wantAdvice(t testing.TB, err error, part string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), part) {
		t.Errorf("error %q does not say %q", err, part)
	}
}
