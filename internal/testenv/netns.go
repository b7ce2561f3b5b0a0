package testenv

import (
	"errors"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// Netns moves the test into a network namespace of its own with lo up, and gives the index of lo. The test's goroutine keeps its thread, which ends with it; processes
// that it starts are in the namespace too, other goroutines are not.
func Netns(t testing.TB) (lo int) {
	t.Helper()
	Root(t)
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatalf("make a network namespace: %v", err)
	}
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	request.SetUint16(unix.IFF_UP)
	err = unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
	if err = errors.Join(err, unix.IoctlIfreq(socket, unix.SIOCGIFINDEX, request)); err != nil {
		t.Fatalf("bring lo up: %v", err)
	}
	return int(request.Uint32())
}
