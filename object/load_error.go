package object

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// adviseLoad says what to do about an error of loading something. capability is what it takes, since the first Linux that has it, "" if all
// that are supported do.
//
//go:noinline
func adviseLoad(err error, capability, since string) string {
	switch errno, _ := err.(unix.Errno); errno {
	case unix.EPERM, unix.EACCES:
		return "needs " + capability + ", or CAP_SYS_ADMIN"
	case unix.EMFILE:
		return "the process has too many open files; raise RLIMIT_NOFILE (ulimit -n)"
	case unix.ENFILE:
		return "the system has too many open files; raise /proc/sys/fs/file-max"
	case unix.ENOMEM:
		return "the kernel has no memory for it, or the process's cgroup may not have more"
	case unix.EINVAL, unix.E2BIG:
		if since != "" {
			return "it needs Linux " + since
		}
	}
	return ""
}

// isOfRightsOrRoom reports whether an error is about the process and the machine, whatever it was that they were to make.
func isOfRightsOrRoom(err error) bool {
	switch err {
	case unix.EPERM, unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.ENOSPC:
		return true
	}
	return false
}

// mapTypeSince tells which Linux brought a type of map that 5.10 does not have.
func mapTypeSince(t sys.MapType) string {
	switch t {
	case sys.MapTypeTaskStorage:
		return "5.11"
	case sys.MapTypeBloomFilter:
		return "5.16"
	case sys.MapTypeUserRingbuf:
		return "6.1"
	case sys.MapTypeCgrpStorage:
		return "6.2"
	case sys.MapTypeArena:
		return "6.9"
	}
	return ""
}

// programSince tells which Linux brought what a program of that kind needs, if 5.10 does not have it.
func (p *ProgramSpec) programSince() string {
	switch {
	case p.Type == sys.ProgTypeSyscall:
		return "5.14"
	case p.Type == sys.ProgTypeNetfilter:
		return "6.4"
	case p.Flags&unix.BPF_F_XDP_HAS_FRAGS != 0:
		return "5.18"
	}
	switch p.AttachType {
	case sys.AttachTypeSKReuseportSelectOrMigrate:
		return "5.14"
	case sys.AttachTypeTraceKprobeMulti:
		return "5.18"
	case sys.AttachTypeLSMCgroup:
		return "6.0"
	case sys.AttachTypeTraceUprobeMulti, sys.AttachTypeTCXIngress, sys.AttachTypeTCXEgress:
		return "6.6"
	case sys.AttachTypeNetkitPrimary, sys.AttachTypeNetkitPeer, sys.AttachTypeCgroupUnixConnect, sys.AttachTypeCgroupUnixSendmsg,
		sys.AttachTypeCgroupUnixRecvmsg, sys.AttachTypeCgroupUnixGetpeername, sys.AttachTypeCgroupUnixGetsockname:
		return "6.7"
	case sys.AttachTypeTraceKprobeSession:
		return "6.10"
	case sys.AttachTypeTraceUprobeSession:
		return "6.13"
	}
	return ""
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
