package link_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

// inNetns moves the test into a new network namespace and gives where to attach.
func inNetns(t *testing.T) link.Netns {
	t.Helper()
	enterNetns(t)
	return link.Netns{FD: openFile(t, "/proc/thread-self/ns/net"), AttachType: sys.AttachTypeSKLookup}
}

func TestNetnsRuns(t *testing.T) {
	counter, how := newCounter(t), inNetns(t)
	const pass = 1
	counting := passLookup
	counting.code = counts(counter, pass)
	l := attach(t, how, counting.load(t))
	sendLocal(t)
	if n := count(t, counter); n != 1 {
		t.Errorf("the program ran for %d packets, want 1", n)
	}
	check(t, l.Detach())
	sendLocal(t)
	if n := count(t, counter); n != 1 {
		t.Errorf("the program ran for %d packets, the second after Detach", n)
	}
}

func TestNetnsErrors(t *testing.T) {
	pass := passLookup.load(t)
	_, err := link.Netns{FD: openFile(t, "/"), AttachType: sys.AttachTypeSKLookup}.Attach(pass)
	wantError(t, err, unix.EINVAL)
	wantAdvice(t, err, "FD is no network namespace")
	_, err = link.Netns{AttachType: sys.AttachTypeSKLookup}.Attach(pass)
	wantError(t, err, sys.ErrClosed)
}
