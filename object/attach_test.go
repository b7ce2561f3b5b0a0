package object_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// withoutRights calls do on a thread that has no capabilities, and ends the thread.
func withoutRights(t testing.TB, do func() error) (err error) {
	t.Helper()
	testenv.Root(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err = unix.Capset(&header, &none[0]); err == nil {
			err = do()
		}
	}()
	<-done
	return err
}

// makeCalls makes system calls and wants 100 counted in each of the variables. It makes more, for one is missed where another task
// was preempted inside the program on the same CPU (the counters prog->active and bpf_prog_active in kernel/trace/bpf_trace.c).
func makeCalls(t testing.TB, o *object.Object, variables ...string) {
	t.Helper()
	before := make([]uint64, len(variables))
	for i, name := range variables {
		before[i] = variable(t, o, name)
	}
	for range 200 {
		unix.Getppid()
	}
	for i, name := range variables {
		if n := variable(t, o, name) - before[i]; n < 100 {
			t.Errorf("%s grew by %d in 200 system calls", name, n)
		}
	}
}

func TestAttachRawTracepoint(t *testing.T) {
	o := load(t, "raw_tp")
	check(t, o.Attach())
	makeCalls(t, o, "calls")
	if l := o.Link("count_calls", ""); l == nil || l.Type() != sys.LinkTypeRawTracepoint {
		t.Errorf("link %v", l)
	}
	// Once more attaches nothing.
	check(t, o.Attach())
	if n := len(o.Links()); n != 1 {
		t.Errorf("%d links, want 1", n)
	}
}

func TestAttachTracepoint(t *testing.T) {
	testenv.Tracefs(t)
	s := open(t, "tracepoint")
	pid := uint32(os.Getpid())
	check(t, s.Variable("group").Set([]byte{byte(pid), byte(pid >> 8), byte(pid >> 16), byte(pid >> 24)}))
	o := loadSpec(t, s, nil)
	check(t, o.Attach())
	makeCalls(t, o, "enters", "exits")
}

func TestAttachIter(t *testing.T) {
	o := load(t, "iter")
	check(t, o.Attach())
	for program, line := range map[string]string{"list_maps": "map\n", "list_tasks": "task\n"} {
		text, err := link.ReadIter(o.Link(program, "").Link, 1<<20)
		check(t, err)
		if n := bytes.Count(text, []byte(line)); n == 0 || n*len(line) != len(text) {
			t.Errorf("%s printed %.100q", program, text)
		}
	}
}

// TestAttachLeavesTheRest attaches nothing where sections say nothing, or Autoattach is off.
func TestAttachLeavesTheRest(t *testing.T) {
	s := open(t, "iter")
	for _, p := range s.Programs {
		p.Autoattach = false
	}
	for _, o := range []*object.Object{load(t, "counter"), load(t, "xdp"), loadSpec(t, s, nil)} {
		check(t, o.Attach())
		if n := len(o.Links()); n != 0 {
			t.Errorf("%s: %d links, want none", o.Name(), n)
		}
	}
}

// TestAttachUndoes lets the second of two programs fail: the link of the first must go, one that was there must stay.
func TestAttachUndoes(t *testing.T) {
	o := load(t, "iter")
	o.Spec().Program("list_tasks").AttachTo = ""
	check(t, o.Attach())
	if o.Link("list_maps", "") == nil || len(o.Links()) != 1 {
		t.Fatalf("links %v, want one of list_maps", o.Links())
	}

	two := load(t, "tracepoint")
	_, err := two.AttachTo("count_exits", "mine", failing{})
	wantError(t, err, unix.ENOTTY, "attach program", `"count_exits" to "mine"`)
	two.Spec().Program("count_exits").AttachTo = "no category"
	before := openFiles(t)
	testenv.Tracefs(t)
	wantError(t, two.Attach(), object.ErrSpec, `"count_exits"`, "tp/sched/sched_switch")
	if len(two.Links()) != 0 || openFiles(t) != before {
		t.Errorf("%d links and %d descriptors stay", len(two.Links()), openFiles(t)-before)
	}
}

// failing is a way to attach that never works.
type failing struct{}

func (failing) Attach(*sys.FD) (*link.Link, error) { return nil, unix.ENOTTY }

func TestAttachErrors(t *testing.T) {
	o := load(t, "counter")
	_, err := o.AttachTo("nobody", "", failing{})
	wantError(t, err, unix.ENOENT, `"nobody"`, "no such program")
	_, err = o.AttachTo("count_egress", "", nil)
	wantError(t, err, unix.EINVAL, `"count_egress"`)
	wantError(t, object.NewObject("pinned", nil, nil, nil).Attach(), object.ErrUnsupported, `"pinned"`, "AttachTo")
}

// TestAttachToCgroup counts the packets of a process in a cgroup.
func TestAttachToCgroup(t *testing.T) {
	o := load(t, "counter")
	path, dir := newCgroup(t)
	for program, at := range map[string]sys.AttachType{
		"count_ingress": sys.AttachTypeCgroupInetIngress, "count_egress": sys.AttachTypeCgroupInetEgress,
	} {
		l, err := o.AttachTo(program, "test", link.Cgroup{Dir: dir, AttachType: at})
		check(t, err)
		if o.Link(program, "test") != l || l.Program() != program || l.Target() != "test" {
			t.Errorf("link of %s to %s is not found by its name", l.Program(), l.Target())
		}
		_, err = o.AttachTo(program, "test", link.Cgroup{Dir: dir, AttachType: at})
		wantError(t, err, object.ErrAttached, program, "test")
	}
	const datagrams = 7
	inCgroup(t, path, func() { sendLocal(t, datagrams) })
	for direction := range uint32(2) {
		if value := lookup32(t, o.Map("packets"), direction); value[0] != datagrams {
			t.Errorf("direction %d: % x packets counted, %d sent", direction, value, datagrams)
		}
	}
	if n := variable(t, o, "bytes"); n == 0 {
		t.Error("no bytes were counted")
	}
}

// newCgroup makes a cgroup that goes with the test, in a mount of the test's own.
func newCgroup(t testing.TB) (string, *sys.FD) {
	t.Helper()
	testenv.Root(t)
	mount := t.TempDir()
	check(t, unix.Mount("cgroup2", mount, "cgroup2", 0, ""))
	t.Cleanup(func() { check(t, unix.Unmount(mount, unix.MNT_DETACH)) })
	path, err := os.MkdirTemp(mount, "pinion-object-")
	check(t, err)
	t.Cleanup(func() { check(t, unix.Rmdir(path)) })
	dir, err := link.OpenCgroup(path)
	check(t, err)
	t.Cleanup(func() { check(t, dir.Close()) })
	return path, dir
}

// inCgroup moves the whole process into a cgroup below the root of its mount, and back.
func inCgroup(t testing.TB, path string, do func()) {
	t.Helper()
	groups, err := os.ReadFile("/proc/self/cgroup")
	check(t, err)
	_, home, found := strings.Cut("\n"+string(groups), "\n0::")
	if !found {
		t.Fatalf("no version 2 cgroup in %q", groups)
	}
	home, _, _ = strings.Cut(home, "\n")
	move := func(to string) { check(t, os.WriteFile(filepath.Join(to, "cgroup.procs"), []byte("0"), 0)) }
	move(path)
	defer move(filepath.Join(filepath.Dir(path), home))
	do()
}

// sendLocal sends datagrams over lo, in a network namespace of the test's own, and waits for each.
func sendLocal(t testing.TB, n int) {
	t.Helper()
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	check(t, unix.Unshare(unix.CLONE_NEWNET))
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	check(t, err)
	defer unix.Close(socket)
	request, err := unix.NewIfreq("lo")
	check(t, err)
	request.SetUint16(unix.IFF_UP)
	check(t, unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request))
	check(t, unix.SetsockoptTimeval(socket, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5}))
	check(t, unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	self, err := unix.Getsockname(socket)
	check(t, err)
	buf := make([]byte, 16)
	for range n {
		check(t, unix.Sendto(socket, []byte("ping"), 0, self))
		_, _, err := unix.Recvfrom(socket, buf, 0)
		check(t, err)
	}
}

// TestAttachAfterClose closes a link: its program may be attached again.
func TestAttachAfterClose(t *testing.T) {
	o := load(t, "raw_tp")
	check(t, o.Attach())
	check(t, o.Link("count_calls", "").Close())
	check(t, o.Attach())
	if l := o.Link("count_calls", ""); len(o.Links()) != 1 || l.FD().Int() < 0 {
		t.Errorf("links %v", o.Links())
	}
}
