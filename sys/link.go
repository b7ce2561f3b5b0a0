package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// LinkCreateAttr is the attribute of BPF_LINK_CREATE for the kinds that need nothing of their own, and for iterators and
// programs attached to other programs.
type LinkCreateAttr struct {
	ProgFD      uint32 // or a struct_ops map's
	TargetFD    uint32 // or an interface's index
	AttachType  AttachType
	Flags       uint32
	IterInfo    Pointer // *MapIterInfo, *CgroupIterInfo or *TaskIterInfo
	IterInfoLen uint32  // bytes
	_           [140]byte
}

// LinkCreate makes a link.
func LinkCreate(attr *LinkCreateAttr) (*FD, error) { return linkCreate(unsafe.Pointer(attr)) }

func linkCreate(attr unsafe.Pointer) (*FD, error) {
	return bpfFD(unix.BPF_LINK_CREATE, attr)
}

// LinkCreateTracingAttr is LinkCreateAttr for tracing, LSM and extension programs. Linux 5.11.
type LinkCreateTracingAttr struct {
	ProgFD      uint32
	TargetFD    uint32
	AttachType  AttachType
	Flags       uint32
	TargetBTFID uint32
	_           uint32
	Cookie      uint64 // Linux 6.0
	_           [136]byte
}

// LinkCreateTracing makes a tracing link.
func LinkCreateTracing(attr *LinkCreateTracingAttr) (*FD, error) {
	return linkCreate(unsafe.Pointer(attr))
}

// LinkCreatePerfEventAttr is LinkCreateAttr for perf events. Linux 5.15.
type LinkCreatePerfEventAttr struct {
	ProgFD     uint32
	TargetFD   uint32 // a perf event's
	AttachType AttachType
	Flags      uint32
	BPFCookie  uint64
	_          [144]byte
}

// LinkCreatePerfEvent makes a link to a perf event.
func LinkCreatePerfEvent(attr *LinkCreatePerfEventAttr) (*FD, error) {
	return linkCreate(unsafe.Pointer(attr))
}

// LinkCreateKprobeMultiAttr is LinkCreateAttr for many kernel functions at once. Linux 5.18.
type LinkCreateKprobeMultiAttr struct {
	ProgFD           uint32
	TargetFD         uint32
	AttachType       AttachType
	Flags            uint32
	KprobeMultiFlags uint32
	Cnt              uint32
	Syms             Pointer // **char
	Addrs            Pointer // *uint64
	Cookies          Pointer // *uint64
	_                [120]byte
}

// LinkCreateKprobeMulti makes a link to many kernel functions.
func LinkCreateKprobeMulti(attr *LinkCreateKprobeMultiAttr) (*FD, error) {
	return linkCreate(unsafe.Pointer(attr))
}

// LinkCreateUprobeMultiAttr is LinkCreateAttr for many places in one file. Linux 6.6.
type LinkCreateUprobeMultiAttr struct {
	ProgFD           uint32
	TargetFD         uint32
	AttachType       AttachType
	Flags            uint32
	Path             Pointer // NUL-terminated
	Offsets          Pointer // *uint64
	RefCtrOffsets    Pointer // *uint64
	Cookies          Pointer // *uint64
	Cnt              uint32
	UprobeMultiFlags uint32
	PID              uint32
	PathFD           uint32
	_                [104]byte
}

// LinkCreateUprobeMulti makes a link to many places in one file.
func LinkCreateUprobeMulti(attr *LinkCreateUprobeMultiAttr) (*FD, error) {
	return linkCreate(unsafe.Pointer(attr))
}

// LinkCreateNetfilterAttr is LinkCreateAttr for netfilter hooks. Linux 6.4.
type LinkCreateNetfilterAttr struct {
	ProgFD         uint32
	TargetFD       uint32
	AttachType     AttachType
	Flags          uint32
	PF             uint32
	Hooknum        uint32
	Priority       int32
	NetfilterFlags uint32
	_              [136]byte
}

// LinkCreateNetfilter makes a link to a netfilter hook.
func LinkCreateNetfilter(attr *LinkCreateNetfilterAttr) (*FD, error) {
	return linkCreate(unsafe.Pointer(attr))
}

// LinkCreateRelativeAttr is LinkCreateAttr for the hooks that order their programs: TCX (Linux 6.6), netkit (6.7) and cgroups (6.17).
type LinkCreateRelativeAttr struct {
	ProgFD           uint32
	TargetFD         uint32 // or an interface's index
	AttachType       AttachType
	Flags            uint32
	RelativeFD       uint32 // or an id, with BPF_F_ID
	_                uint32
	ExpectedRevision uint64
	_                [136]byte
}

// LinkCreateRelative makes a link with a place among others.
func LinkCreateRelative(attr *LinkCreateRelativeAttr) (*FD, error) {
	return linkCreate(unsafe.Pointer(attr))
}

// LinkCreateTracingMultiAttr is LinkCreateAttr for many kernel functions by their BTF ids. Linux 7.1.
type LinkCreateTracingMultiAttr struct {
	ProgFD     uint32
	TargetFD   uint32
	AttachType AttachType
	Flags      uint32
	IDs        Pointer // *uint32
	Cookies    Pointer // *uint64
	Cnt        uint32
	_          [132]byte
}

// LinkCreateTracingMulti makes a link to many kernel functions by their BTF ids.
func LinkCreateTracingMulti(attr *LinkCreateTracingMultiAttr) (*FD, error) {
	return linkCreate(unsafe.Pointer(attr))
}

// LinkUpdateAttr is the attribute of BPF_LINK_UPDATE.
type LinkUpdateAttr struct {
	LinkFD    uint32
	NewProgFD uint32 // or a struct_ops map's, Linux 6.4
	Flags     uint32 // BPF_F_REPLACE: only if OldProgFD is what runs, else EPERM
	OldProgFD uint32
	_         [152]byte
}

// LinkUpdate makes a link run another program, between two runs of it.
func LinkUpdate(attr *LinkUpdateAttr) error {
	return bpfDo(unix.BPF_LINK_UPDATE, unsafe.Pointer(attr))
}

// LinkDetachAttr is the attribute of BPF_LINK_DETACH.
type LinkDetachAttr struct {
	LinkFD uint32
	_      [164]byte
}

// LinkDetach detaches a link at once though descriptors and pins of it remain; EOPNOTSUPP for the kinds that cannot.
func LinkDetach(attr *LinkDetachAttr) error {
	return bpfDo(unix.BPF_LINK_DETACH, unsafe.Pointer(attr))
}

// IterCreateAttr is the attribute of BPF_ITER_CREATE.
type IterCreateAttr struct {
	LinkFD uint32
	Flags  uint32
	_      [160]byte
}

// IterCreate opens an iterator link for one reading.
func IterCreate(attr *IterCreateAttr) (*FD, error) {
	return bpfFD(unix.BPF_ITER_CREATE, unsafe.Pointer(attr))
}

// MapIterInfo is the map whose elements an iterator walks: one of the forms of union bpf_iter_link_info.
type MapIterInfo struct {
	MapFD uint32
	_     [12]byte
}

// CgroupIterInfo is the cgroup that an iterator starts from. Linux 6.1.
type CgroupIterInfo struct {
	Order    uint32
	CgroupFD uint32
	CgroupID uint64
}

// TaskIterInfo is the task that an iterator walks. Linux 6.1.
type TaskIterInfo struct {
	TID   uint32
	PID   uint32
	PIDFD uint32
	_     uint32
}
