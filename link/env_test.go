package link_test

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

// newCgroup makes a cgroup that goes with the test and opens it.
func newCgroup(t testing.TB) (string, *sys.FD) {
	t.Helper()
	path := testenv.Cgroup(t)
	dir, err := link.OpenCgroup(path)
	check(t, err)
	t.Cleanup(func() { check(t, dir.Close()) })
	return path, dir
}

// childIn runs the child of TestMain in a cgroup and gives its exit status.
func childIn(t testing.TB, cgroup *sys.FD) int {
	t.Helper()
	child := exec.Command("/proc/self/exe")
	child.Env = append(os.Environ(), childVariable+"=1")
	child.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: cgroup.Int()}
	output, err := child.CombinedOutput()
	if child.ProcessState == nil {
		t.Fatalf("child: %v\n%s", err, output)
	}
	return child.ProcessState.ExitCode()
}

// enterNetns moves the test into a new network namespace with lo up.
func enterNetns(t testing.TB) (lo int) {
	t.Helper()
	return testenv.Netns(t)
}

// sendLocal sends a datagram over lo to the test itself and waits for it.
func sendLocal(t testing.TB) {
	t.Helper()
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	check(t, err)
	defer unix.Close(socket)
	check(t, unix.SetsockoptTimeval(socket, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5}))
	check(t, unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	self, err := unix.Getsockname(socket)
	check(t, err)
	check(t, unix.Sendto(socket, []byte("ping"), 0, self))
	buf := make([]byte, 16)
	n, _, err := unix.Recvfrom(socket, buf, 0)
	if err != nil || string(buf[:n]) != "ping" {
		t.Fatalf("received %q, %v", buf[:max(n, 0)], err)
	}
}

// attach attaches a program and closes the link with the test.
func attach(t testing.TB, how link.Attacher, program *sys.FD) *link.Link {
	t.Helper()
	l, err := how.Attach(program)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, l.Close()) })
	return l
}

func programID(t testing.TB, program *sys.FD) uint32 {
	t.Helper()
	kind, id, err := sys.KindOf(program)
	if err != nil || kind != sys.KindProgram {
		t.Fatalf("kind %v, error %v", kind, err)
	}
	return id
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	check(t, os.WriteFile(path, []byte(text), 0o600))
}

// waitUntil asks again and again, for what the kernel does on a work queue of its own.
func waitUntil(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("waited 10 s for %s", what)
		}
	}
}

// waitForCall makes system calls until the program on their tracepoint has counted one. It misses a call where another task was preempted
// inside it on the same CPU (the counter prog->active in kernel/trace/bpf_trace.c).
func waitForCall(t testing.TB, counter *sys.FD) {
	t.Helper()
	before := count(t, counter)
	waitUntil(t, "a system call to be counted", func() bool {
		unix.Getppid()
		return count(t, counter) > before
	})
}
