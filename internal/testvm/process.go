package testvm

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func groupOfItsOwn() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// killGroup ends a process and what it started: it asks first, so that the go command removes its temporary files.
func killGroup(leader int) {
	// An error means that nobody is left, which is what is wanted.
	_ = unix.Kill(-leader, unix.SIGINT)
	for range 100 {
		if unix.Kill(-leader, 0) == unix.ESRCH {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	_ = unix.Kill(-leader, unix.SIGKILL)
}
