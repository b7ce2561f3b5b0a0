package sys

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// AttrSize is the size of every attribute structure in bytes: that of union bpf_attr on Linux 6.18 to 7.0.
const AttrSize = 168

// The commands that x/sys/unix does not have yet (enum bpf_cmd).
const (
	cmdTokenCreate        = 36
	cmdProgStreamReadByFD = 37
	cmdProgAssocStructOps = 38
)

// How often an interrupted call is made before its error is believed.
const (
	progLoadAttempts    = 30
	progTestRunAttempts = 1000
)

// bpf makes one bpf(2) call on an attribute structure of AttrSize bytes and gives what the kernel returned.
func bpf(cmd uintptr, attr unsafe.Pointer) (int, error) {
	r, _, errno := unix.Syscall(unix.SYS_BPF, cmd, uintptr(attr), AttrSize)
	runtime.KeepAlive(attr)
	if errno != 0 {
		return -1, errno
	}
	return int(r), nil
}

// bpfDo is bpf for the commands that return nothing but success.
func bpfDo(cmd uintptr, attr unsafe.Pointer) error {
	_, err := bpf(cmd, attr)
	return err
}

// bpfFD is bpf for the commands that return a new file descriptor.
func bpfFD(cmd uintptr, attr unsafe.Pointer) (*FD, error) {
	raw, err := bpf(cmd, attr)
	if err != nil {
		return nil, err
	}
	return NewFD(raw)
}

// bpfAgain is bpf for the commands that give errno when a signal came in the middle, and ask to be called once more: the
// verifier answers EAGAIN (kernel/bpf/verifier.c, do_check), a test run EINTR (net/bpf/test_run.c). Go's own preemption signals
// make both likely. The number of attempts bounds what a signal storm can cost.
func bpfAgain(cmd uintptr, attr unsafe.Pointer, again unix.Errno, attempts int) (r int, err error) {
	for range attempts {
		if r, err = bpf(cmd, attr); err != again {
			break
		}
	}
	return r, err
}
