package object

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// feature is something of [sys.MapCreate] or [sys.ProgLoad] that Linux 5.10 does not have.
type feature struct {
	linux  string         // the first that has it
	is     sys.MapType    // the type of map that it is, 0 of programs
	of     sys.ProgType   // programs of that type have it
	attach sys.AttachType // with this attach type
	flags  uint32         // with these flags
	what   string
}

// features are asked of the kernel only once it has refused something, and then once in a process. Kinds of kprobes and of traffic control, which an older kernel loads and then does not attach, are not
// among them.
var features = [...]feature{
	{linux: "5.11", is: sys.MapTypeTaskStorage, what: "maps of type task_storage"},
	{linux: "5.16", is: sys.MapTypeBloomFilter, what: "maps of type bloom_filter"},
	{linux: "6.1", is: sys.MapTypeUserRingbuf, what: "maps of type user_ringbuf"},
	{linux: "6.2", is: sys.MapTypeCgrpStorage, what: "maps of type cgrp_storage"},
	{linux: "6.9", is: sys.MapTypeArena, what: "maps of type arena"},
	{linux: "6.19", is: sys.MapTypeInsnArray, what: "jump tables"},
	{linux: "5.14", of: sys.ProgTypeSyscall, flags: unix.BPF_F_SLEEPABLE, what: "programs of type syscall"},
	{linux: "6.4", of: sys.ProgTypeNetfilter, attach: sys.AttachTypeNetfilter, what: "programs of type netfilter"},
	{linux: "5.18", of: sys.ProgTypeXDP, flags: unix.BPF_F_XDP_HAS_FRAGS, what: "XDP with fragments"},
	{linux: "6.7", of: sys.ProgTypeCgroupSockAddr, attach: sys.AttachTypeCgroupUnixConnect, what: "cgroup/connect_unix"},
	{linux: "6.7", of: sys.ProgTypeCgroupSockAddr, attach: sys.AttachTypeCgroupUnixSendmsg, what: "cgroup/sendmsg_unix"},
	{linux: "6.7", of: sys.ProgTypeCgroupSockAddr, attach: sys.AttachTypeCgroupUnixRecvmsg, what: "cgroup/recvmsg_unix"},
	{linux: "6.7", of: sys.ProgTypeCgroupSockAddr, attach: sys.AttachTypeCgroupUnixGetpeername, what: "cgroup/getpeername_unix"},
	{linux: "6.7", of: sys.ProgTypeCgroupSockAddr, attach: sys.AttachTypeCgroupUnixGetsockname, what: "cgroup/getsockname_unix"},
}

// lackOfMap says that the kernel has no maps of m's type, "" if it has, or if it is not known since when.
func (m *MapSpec) lackOfMap() string {
	for i := range features {
		if features[i].is == m.Type && m.Type != 0 {
			return lack(i)
		}
	}
	return ""
}

// lackOfProgram says what the kernel has not that a program needs, "" if there is nothing.
func (p *ProgramSpec) lackOfProgram() string {
	for i := range features {
		f := &features[i]
		if f.is == 0 && f.of == p.Type && f.flags&^p.Flags == 0 && (f.attach == p.AttachType || f.of != sys.ProgTypeCgroupSockAddr) {
			if what := lack(i); what != "" {
				return what
			}
		}
	}
	return ""
}

// has and hasNot are what this kernel has said of features, by their index.
var has, hasNot atomic.Uint32

// lack says that the kernel has not a feature, "" if it has.
func lack(index int) string {
	f, bit := &features[index], uint32(1)<<index
	if (has.Load()|hasNot.Load())&bit == 0 {
		switch f.ask() {
		case unix.EINVAL:
			hasNot.Or(bit)
		case unix.EPERM, unix.EMFILE, unix.ENFILE, unix.ENOMEM: // which say nothing of it
		default:
			has.Or(bit)
		}
	}
	if hasNot.Load()&bit == 0 {
		return ""
	}
	return needs(f.linux, f.what)
}

// needs says that something takes a newer kernel.
func needs(linux, what string) string {
	release, _, _ := kernelRelease()
	return text.Form("needs Linux {}, this is {}: {}").Add(linux).Add(release).Add(what).String()
}

// ask makes a map or a program that is as small as it can be. EINVAL says that the kernel has no such.
func (f *feature) ask() error {
	if f.is == 0 {
		// It returns 1, for some may return nothing else.
		return loadSmallest(&sys.ProgLoadAttr{ProgType: f.of, ExpectedAttachType: f.attach, ProgFlags: f.flags}, opMove64, 1)
	}
	attr := sys.MapCreateAttr{MapType: f.is, MaxEntries: 1}
	switch f.is {
	case sys.MapTypeTaskStorage, sys.MapTypeCgrpStorage:
		// With a value that is too long the kernel answers E2BIG before it looks at the types, if it has such maps (bpf_local_storage_map_alloc_check).
		attr.MapFlags, attr.MaxEntries, attr.KeySize, attr.ValueSize = unix.BPF_F_NO_PREALLOC, 0, 4, 1<<31
		attr.BTFKeyTypeID, attr.BTFValueTypeID = 1, 1
	case sys.MapTypeBloomFilter:
		attr.ValueSize = 4
	case sys.MapTypeUserRingbuf:
		attr.MaxEntries = uint32(unix.Getpagesize())
	case sys.MapTypeInsnArray:
		attr.KeySize, attr.ValueSize = 4, jumpEntrySize
	case sys.MapTypeArena:
		attr.MapFlags = unix.BPF_F_MMAPABLE
	}
	fd, err := sys.MapCreate(&attr)
	fd.Close()
	return err
}
