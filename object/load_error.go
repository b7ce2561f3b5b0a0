package object

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// adviseLoad says what to do about an error of loading something that takes a capability.
//
//go:noinline
func adviseLoad(err error, capability string) string {
	switch errno, _ := err.(unix.Errno); errno {
	case unix.EPERM, unix.EACCES:
		return adviseRights(capability)
	case unix.EMFILE:
		return "the process has too many open files; raise RLIMIT_NOFILE (ulimit -n)"
	case unix.ENFILE:
		return "the system has too many open files; raise /proc/sys/fs/file-max"
	case unix.ENOMEM:
		return "the kernel has no memory for it, or the process's cgroup may not have more"
	}
	return ""
}

// adviseRights says which right is missing or, to who has them all, what else forbids it.
func adviseRights(capability string) string {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil || data[0].Effective&(1<<unix.CAP_SYS_ADMIN) == 0 {
		return "needs " + capability + ", or CAP_SYS_ADMIN"
	}
	if mode := lockdown(); mode != "" {
		return text.Form("the kernel is locked down ({}), which forbids it to CAP_SYS_ADMIN too").Add(mode).String()
	}
	return "the process has CAP_SYS_ADMIN, so something else forbids it: a user namespace that is not the first, a security module or seccomp, or how the kernel was built"
}

// mayLack reports whether an error can mean that the kernel is too old.
func mayLack(err error) bool { return err == unix.EINVAL || err == unix.E2BIG }

// isOfRightsOrRoom reports whether an error is about the process and the machine, whatever it was that they were to make.
func isOfRightsOrRoom(err error) bool {
	switch err {
	case unix.EPERM, unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.ENOSPC:
		return true
	}
	return false
}

// capabilities names what it takes to load a program of a type (is_net_admin_prog_type and is_perfmon_prog_type in kernel/bpf/syscall.c).
//
//go:noinline
func capabilities(t sys.ProgType) string {
	switch t {
	case sys.ProgTypeKprobe, sys.ProgTypeTracepoint, sys.ProgTypePerfEvent, sys.ProgTypeRawTracepoint, sys.ProgTypeRawTracepointWritable,
		sys.ProgTypeTracing, sys.ProgTypeLSM, sys.ProgTypeStructOps:
		return "CAP_BPF and CAP_PERFMON"
	case sys.ProgTypeSchedCls, sys.ProgTypeSchedAct, sys.ProgTypeXDP, sys.ProgTypeLWTIn, sys.ProgTypeLWTOut, sys.ProgTypeLWTXmit,
		sys.ProgTypeLWTSeg6local, sys.ProgTypeSKSKB, sys.ProgTypeSKMsg, sys.ProgTypeFlowDissector, sys.ProgTypeCgroupDevice,
		sys.ProgTypeCgroupSock, sys.ProgTypeCgroupSockAddr, sys.ProgTypeCgroupSockopt, sys.ProgTypeCgroupSysctl, sys.ProgTypeSockOps,
		sys.ProgTypeNetfilter:
		return "CAP_BPF and CAP_NET_ADMIN"
	}
	return "CAP_BPF"
}
