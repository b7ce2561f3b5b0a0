package faults

import "golang.org/x/sys/unix"

// Supported tells whether the tracer knows this machine's registers.
const Supported = true

// numbers are the calls that are looked at. fcntl is one for the sake of F_DUPFD_CLOEXEC.
var numbers = map[string]uint64{
	"bpf": unix.SYS_BPF, "mkdirat": unix.SYS_MKDIRAT, "symlinkat": unix.SYS_SYMLINKAT, "linkat": unix.SYS_LINKAT, "unlinkat": unix.SYS_UNLINKAT,
	"renameat2": unix.SYS_RENAMEAT2, "renameat": unix.SYS_RENAMEAT, "openat": unix.SYS_OPENAT, "openat2": unix.SYS_OPENAT2, "flock": unix.SYS_FLOCK,
	"readlinkat": unix.SYS_READLINKAT, "newfstatat": unix.SYS_NEWFSTATAT, "getdents64": unix.SYS_GETDENTS64, "fcntl": unix.SYS_FCNTL,
	"fchmodat": unix.SYS_FCHMODAT, "perf_event_open": unix.SYS_PERF_EVENT_OPEN,
	marker: unix.SYS_SCHED_GET_PRIORITY_MAX,
}

// entered reads the call that a thread is about to make.
func entered(thread int) (number uint64, args [6]uint64, err error) {
	var regs unix.PtraceRegs
	err = unix.PtraceGetRegs(thread, &regs)
	return regs.Orig_rax, [6]uint64{regs.Rdi, regs.Rsi, regs.Rdx, regs.R10, regs.R8, regs.R9}, err
}

// refuse keeps the kernel from making the call, and gives the thread an errno for it.
func refuse(thread int, errno unix.Errno) error {
	var regs unix.PtraceRegs
	if err := unix.PtraceGetRegs(thread, &regs); err != nil {
		return err
	}
	regs.Orig_rax = ^uint64(0)
	regs.Rax = -uint64(errno)
	return unix.PtraceSetRegs(thread, &regs)
}
