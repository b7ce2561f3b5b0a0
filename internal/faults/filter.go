package faults

import (
	"maps"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// marker is a call that nobody makes and that does no harm. With one of these arguments the child tells its tracer where it is.
const marker = "marker"

const (
	markIdle  = 4711 + iota // it has answered, and waits for a task: it is stopped until there is one
	markBegin               // faults may happen
	markEnd                 // no more
)

// putFilter has the kernel stop this process, all its threads, at the calls of numbers, if it is traced; an untraced one gets ENOSYS from them.
func putFilter() error {
	// struct seccomp_data has the number of the call at 0. Those of another architecture that may run on this one are not made by Go.
	filter := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}}
	all := slices.Sorted(maps.Values(numbers))
	for i, number := range all {
		filter = append(filter, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(number), Jt: uint8(len(all) - i)})
	}
	filter = append(filter,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_TRACE})
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: unsafe.SliceData(filter)}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return nil
}

func mark(what uintptr) { unix.Syscall(uintptr(numbers[marker]), what, 0, 0) }
