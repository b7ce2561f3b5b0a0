package link

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// Info is what the kernel tells about a link. Fields that its kind has not are zero.
type Info struct {
	Type       sys.LinkType
	ID         uint32         // 0 if the link is not pinnable
	ProgramID  uint32         // 0 for struct_ops
	AttachType sys.AttachType // of cgroup, netns, XDP, TCX, netkit, sockmap, tracing, iterator and perf event links
	Ifindex    int            // of XDP, TCX and netkit links: in the interface's network namespace
	CgroupID   uint64         // of cgroup links: the inode number of the directory
	NetnsIno   uint32         // of netns links: the inode number of the namespace
	MapID      uint32         // of iterators over a map's elements, struct_ops and sockmap links
	Name       string         // of raw tracepoints, of iterators ("bpf_map"), and from Linux 6.6 of tracepoints, kprobes (function) and uprobes (file)

	// Attached is false once the link was detached, or its cgroup, interface, network namespace or map is gone. Kinds of which the kernel
	// does not tell are always true: a netfilter link in a namespace that is gone, for one.
	Attached bool
}

// nameSize is how many bytes of a name are asked for: a raw tracepoint's has at most 128 (bpf_raw_tracepoint_open in kernel/bpf/syscall.c).
const nameSize = 256

// Info asks the kernel.
func (l *Link) Info() (Info, error) {
	if l.closed() {
		return Info{}, l.fail("ask about", sys.ErrClosed, "")
	}
	if l.event != nil {
		return *l.event, nil
	}
	var head sys.LinkInfo
	if _, err := sys.GetInfo(l.fd, &head); err != nil {
		return Info{}, l.fail("ask about", err, "")
	}
	info := Info{Type: head.Type, ID: head.ID, ProgramID: head.ProgID, Attached: true}
	if err := info.fill(l.fd); err != nil {
		return Info{}, l.fail("ask about", err, "")
	}
	return info, nil
}

// State tells which program the link runs, and whether it is attached: [Info.ProgramID] and [Info.Attached] without the rest, in one call and
// little code.
func (l *Link) State() (programID uint32, attached bool, err error) {
	if l.closed() {
		return 0, false, l.fail("ask about", sys.ErrClosed, "")
	}
	if l.event != nil {
		return l.event.ProgramID, true, nil
	}
	var info struct {
		sys.LinkInfoHead
		Target [2]uint32 // of a cgroup its id, else the first half is the id of the interface, the namespace or the map
		_      [40]byte
	}
	if _, err := sys.GetInfo(l.fd, &info); err != nil {
		return 0, false, l.fail("ask about", err, "")
	}
	attached = true
	switch info.Type {
	case sys.LinkTypeCgroup:
		attached = info.Target[0]|info.Target[1] != 0
	case sys.LinkTypeNetns, sys.LinkTypeXDP, sys.LinkTypeTCX, sys.LinkTypeNetkit, sys.LinkTypeStructOps, sys.LinkTypeSockmap:
		attached = info.Target[0] != 0
	}
	return info.ProgID, attached, nil
}

// fill adds what the link's kind has.
func (i *Info) fill(fd *sys.FD) error {
	switch i.Type {
	case sys.LinkTypeRawTracepoint:
		return i.fillRawTracepoint(fd)
	case sys.LinkTypeIter:
		return i.fillIter(fd)
	case sys.LinkTypePerfEvent:
		return i.fillPerfEvent(fd)
	case sys.LinkTypeCgroup:
		return i.fillCgroup(fd)
	case sys.LinkTypeNetns:
		return i.fillNetns(fd)
	case sys.LinkTypeXDP, sys.LinkTypeTCX, sys.LinkTypeNetkit:
		return i.fillInterface(fd)
	case sys.LinkTypeStructOps, sys.LinkTypeSockmap:
		return i.fillMap(fd)
	case sys.LinkTypeTracing:
		var info sys.TracingLinkInfo
		_, err := sys.GetInfo(fd, &info)
		i.AttachType = info.AttachType
		return err
	}
	return nil
}

func (i *Info) fillRawTracepoint(fd *sys.FD) error {
	var name [nameSize]byte
	info := sys.RawTracepointLinkInfo{TpName: sys.Slice(name[:]), TpNameLen: nameSize}
	_, err := sys.GetInfo(fd, &info)
	i.Name = unix.ByteSliceToString(name[:])
	return err
}

func (i *Info) fillIter(fd *sys.FD) error {
	var name [nameSize]byte
	info := sys.IterLinkInfo{TargetName: sys.Slice(name[:]), TargetNameLen: nameSize}
	_, err := sys.GetInfo(fd, &info)
	i.Name = unix.ByteSliceToString(name[:])
	i.AttachType = sys.AttachTypeTraceIter
	if i.Name == "bpf_map_elem" || i.Name == "bpf_sk_storage_map" {
		i.MapID = info.MapID
	}
	return err
}

// Values of enum bpf_perf_event_type in include/uapi/linux/bpf.h.
const (
	perfEventUprobe     = 1
	perfEventTracepoint = 5
)

// fillPerfEvent asks twice: a sampling event's configuration comes back where the others take the pointer to their name.
func (i *Info) fillPerfEvent(fd *sys.FD) error {
	i.AttachType = sys.AttachTypePerfEvent
	var head struct {
		sys.LinkInfoHead
		PerfType uint32
		_        [44]byte
	}
	if _, err := sys.GetInfo(fd, &head); err != nil || head.PerfType < perfEventUprobe || head.PerfType > perfEventTracepoint {
		return err
	}
	name := make([]byte, unix.PathMax)
	info := sys.PerfEventLinkInfo{Name: sys.Slice(name), NameLen: unix.PathMax}
	_, err := sys.GetInfo(fd, &info)
	i.Name = unix.ByteSliceToString(name)
	return err
}

func (i *Info) fillCgroup(fd *sys.FD) error {
	var info sys.CgroupLinkInfo
	_, err := sys.GetInfo(fd, &info)
	i.CgroupID, i.AttachType, i.Attached = info.CgroupID, info.AttachType, info.CgroupID != 0
	return err
}

func (i *Info) fillNetns(fd *sys.FD) error {
	var info sys.NetnsLinkInfo
	_, err := sys.GetInfo(fd, &info)
	i.NetnsIno, i.AttachType, i.Attached = info.NetnsIno, info.AttachType, info.NetnsIno != 0
	return err
}

func (i *Info) fillInterface(fd *sys.FD) error {
	var info sys.IfindexLinkInfo
	_, err := sys.GetInfo(fd, &info)
	i.Ifindex, i.AttachType, i.Attached = int(info.Ifindex), info.AttachType, info.Ifindex != 0
	if i.Type == sys.LinkTypeXDP {
		i.AttachType = sys.AttachTypeXDP
	}
	return err
}

func (i *Info) fillMap(fd *sys.FD) error {
	var info sys.MapLinkInfo
	_, err := sys.GetInfo(fd, &info)
	i.MapID, i.AttachType, i.Attached = info.MapID, info.AttachType, info.MapID != 0
	if i.Type == sys.LinkTypeStructOps {
		i.AttachType = sys.AttachTypeStructOps
	}
	return err
}
