package link_test

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
)

// childVariable makes the test binary do one thing, in a process of its own that a test has put into a cgroup, and exit.
const childVariable = "PINION_TEST_CHILD"

// Exit statuses of the child.
const (
	childDone   = 0
	childFailed = 1
	childDenied = 3
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(makeSocket())
	}
	os.Exit(testenv.Main(m))
}

// makeSocket does what programs of the type cgroup_sock decide about.
func makeSocket() int {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	switch err {
	case nil:
		unix.Close(socket)
		return childDone
	case unix.EPERM:
		return childDenied
	}
	return childFailed
}
