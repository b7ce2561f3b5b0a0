package sys

import "strconv"

// LinkType is the kind of a link: enum bpf_link_type of include/uapi/linux/bpf.h.
type LinkType uint32

// Values of LinkType (include/uapi/linux/bpf.h).
const (
	LinkTypeUnspec        LinkType = 0  // BPF_LINK_TYPE_UNSPEC
	LinkTypeRawTracepoint LinkType = 1  // BPF_LINK_TYPE_RAW_TRACEPOINT
	LinkTypeTracing       LinkType = 2  // BPF_LINK_TYPE_TRACING
	LinkTypeCgroup        LinkType = 3  // BPF_LINK_TYPE_CGROUP
	LinkTypeIter          LinkType = 4  // BPF_LINK_TYPE_ITER
	LinkTypeNetns         LinkType = 5  // BPF_LINK_TYPE_NETNS
	LinkTypeXDP           LinkType = 6  // BPF_LINK_TYPE_XDP
	LinkTypePerfEvent     LinkType = 7  // BPF_LINK_TYPE_PERF_EVENT
	LinkTypeKprobeMulti   LinkType = 8  // BPF_LINK_TYPE_KPROBE_MULTI
	LinkTypeStructOps     LinkType = 9  // BPF_LINK_TYPE_STRUCT_OPS
	LinkTypeNetfilter     LinkType = 10 // BPF_LINK_TYPE_NETFILTER
	LinkTypeTCX           LinkType = 11 // BPF_LINK_TYPE_TCX
	LinkTypeUprobeMulti   LinkType = 12 // BPF_LINK_TYPE_UPROBE_MULTI
	LinkTypeNetkit        LinkType = 13 // BPF_LINK_TYPE_NETKIT
	LinkTypeSockmap       LinkType = 14 // BPF_LINK_TYPE_SOCKMAP
	LinkTypeTracingMulti  LinkType = 15 // BPF_LINK_TYPE_TRACING_MULTI
)

// String gives the name that bpftool prints, or "link_type(N)" for a number that this version does not know.
func (t LinkType) String() string {
	if name := nameAt(linkTypeNames, uint32(t)); name != "" {
		return name
	}
	return "link_type(" + strconv.FormatUint(uint64(t), 10) + ")"
}

const linkTypeNames = "" +
	"unspec," +
	"raw_tracepoint," +
	"tracing," +
	"cgroup," +
	"iter," +
	"netns," +
	"xdp," +
	"perf_event," +
	"kprobe_multi," +
	"struct_ops," +
	"netfilter," +
	"tcx," +
	"uprobe_multi," +
	"netkit," +
	"sockmap," +
	"tracing_multi"
