//go:build !amd64

package faults

import "golang.org/x/sys/unix"

// Supported tells whether the tracer knows this machine's registers.
const Supported = false

var numbers = map[string]uint64{}

func entered(int) (number uint64, args [6]uint64, err error) { return 0, args, unix.ENOSYS }

func refuse(int, unix.Errno) error { return unix.ENOSYS }
