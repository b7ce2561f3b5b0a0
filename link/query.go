package link

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// Attachments is what is attached to one hook.
type Attachments struct {
	Programs []Attachment // in the order in which they run
	Flags    uint32       // of a cgroup's hook: BPF_F_ALLOW_MULTI, BPF_F_ALLOW_OVERRIDE or 0 (exclusive)
	Revision uint64       // counts the list's changes: TCX, and cgroups from Linux 6.17; 0 where the kernel has none
}

// Attachment is one program at a hook.
type Attachment struct {
	ProgramID uint32
	LinkID    uint32 // 0 for a program attached without a link, and for every program of a cgroup: the kernel does not tell
	Flags     uint32 // of XDP: the XDPMode; else 0
}

// The buffers of a query. A hook holds at most 64 programs (BPF_CGROUP_MAX_PROGS, BPF_MPROG_MAX) on Linux 7.0; the
// limit is there so that no kernel can make a query loop or allocate without end.
const (
	queryStart = 16
	queryLimit = 4096
)

// QueryCgroup tells which programs are attached to a cgroup itself, by link or without. It needs CAP_NET_ADMIN.
func QueryCgroup(dir *sys.FD, at sys.AttachType) (Attachments, error) {
	if anyClosed(dir) {
		return Attachments{}, queryError(at, "cgroup", sys.ErrClosed, "")
	}
	found, err := query(sys.ProgQueryAttr{TargetFD: dir.Attr(), AttachType: at}, false)
	if err != nil {
		return Attachments{}, queryError(at, "cgroup", err, Cgroup{}.advice(err))
	}
	return found, nil
}

// QueryTCX tells which programs are attached to an interface of the calling thread's network namespace, with their links; at is AttachTypeTCXIngress or
// AttachTypeTCXEgress. It needs CAP_NET_ADMIN. Linux 6.6. What was attached in other ways, as with the tool tc, is not shown.
func QueryTCX(ifindex int, at sys.AttachType) (Attachments, error) {
	found, err := query(sys.ProgQueryAttr{TargetFD: uint32(ifindex), AttachType: at}, true)
	if err == unix.ENOENT {
		return Attachments{}, nil // nothing ever was attached
	}
	if err != nil {
		return Attachments{}, queryError(at, interfaceThing(ifindex), err, interfaceAdvice(err, "6.6"))
	}
	return found, nil
}

func queryError(at sys.AttachType, thing string, err error, do string) error {
	return sys.Fail("query "+at.String(), thing, err, do)
}

// query asks with buffers that grow until they hold everything.
func query(ask sys.ProgQueryAttr, withLinks bool) (Attachments, error) {
	for size := uint32(queryStart); ; {
		attr := ask
		programs, links := make([]uint32, size), make([]uint32, size)
		attr.ProgIDs, attr.ProgCnt = sys.Slice(programs), size
		if withLinks {
			attr.LinkIDs = sys.Slice(links)
		}
		err := sys.ProgQuery(&attr)
		if err == unix.ENOSPC && size < queryLimit {
			size = min(max(2*size, attr.ProgCnt), queryLimit)
			continue
		}
		if err != nil {
			return Attachments{}, err
		}
		found := Attachments{Flags: attr.AttachFlags, Revision: attr.Revision}
		for i := range min(attr.ProgCnt, size) {
			found.Programs = append(found.Programs, Attachment{ProgramID: programs[i], LinkID: links[i]})
		}
		return found, nil
	}
}
