package sys

// LinkInfoHead begins every link information structure: struct bpf_link_info.
type LinkInfoHead struct {
	Type   LinkType
	ID     uint32
	ProgID uint32
	_      uint32
}

// LinkInfo tells of any link what all have.
type LinkInfo struct {
	LinkInfoHead
	_ [48]byte
}

// RawTracepointLinkInfo is LinkInfo of a raw tracepoint. TpName is the caller's buffer of TpNameLen bytes.
type RawTracepointLinkInfo struct {
	LinkInfoHead
	TpName    Pointer
	TpNameLen uint32
	_         uint32
	Cookie    uint64 // Linux 6.10
	_         [24]byte
}

// TracingLinkInfo is LinkInfo of a tracing, LSM or extension program.
type TracingLinkInfo struct {
	LinkInfoHead
	AttachType  AttachType
	TargetObjID uint32 // Linux 5.13
	TargetBTFID uint32 // Linux 5.13
	_           uint32
	Cookie      uint64
	_           [24]byte
}

// CgroupLinkInfo is LinkInfo of a cgroup.
type CgroupLinkInfo struct {
	LinkInfoHead
	CgroupID   uint64 // 0 once the cgroup is gone or the link detached
	AttachType AttachType
	_          [36]byte
}

// IterLinkInfo is LinkInfo of an iterator. TargetName is the caller's buffer of TargetNameLen bytes.
type IterLinkInfo struct {
	LinkInfoHead
	TargetName    Pointer
	TargetNameLen uint32
	MapID         uint32 // of a map's elements
	_             [32]byte
}

// NetnsLinkInfo is LinkInfo of a network namespace.
type NetnsLinkInfo struct {
	LinkInfoHead
	NetnsIno   uint32 // 0 once the namespace is gone or the link detached
	AttachType AttachType
	_          [40]byte
}

// IfindexLinkInfo is LinkInfo of the kinds that attach to an interface: XDP, TCX and netkit.
type IfindexLinkInfo struct {
	LinkInfoHead
	Ifindex    uint32     // 0 once the interface is gone or the link detached
	AttachType AttachType // 0 for XDP
	_          [40]byte
}

// MapLinkInfo is LinkInfo of the kinds that attach to a map: struct_ops and socket maps.
type MapLinkInfo struct {
	LinkInfoHead
	MapID      uint32
	AttachType AttachType // 0 for struct_ops
	_          [40]byte
}

// NetfilterLinkInfo is LinkInfo of a netfilter hook.
type NetfilterLinkInfo struct {
	LinkInfoHead
	PF       uint32
	Hooknum  uint32
	Priority int32
	Flags    uint32
	_        [32]byte
}

// PerfEventLinkInfo is LinkInfo of a perf event on a tracepoint, the head of what the other perf events have. Name is the caller's buffer of
// NameLen bytes. Linux 6.6 fills it.
type PerfEventLinkInfo struct {
	LinkInfoHead
	PerfType uint32 // enum bpf_perf_event_type
	_        uint32
	Name     Pointer
	NameLen  uint32
	_        uint32
	_        [24]byte
}
