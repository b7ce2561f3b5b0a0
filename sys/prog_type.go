package sys

import "strconv"

// ProgType is the kind of a program: enum bpf_prog_type of include/uapi/linux/bpf.h.
type ProgType uint32

// Values of ProgType (include/uapi/linux/bpf.h).
const (
	ProgTypeUnspec                ProgType = 0  // BPF_PROG_TYPE_UNSPEC
	ProgTypeSocketFilter          ProgType = 1  // BPF_PROG_TYPE_SOCKET_FILTER
	ProgTypeKprobe                ProgType = 2  // BPF_PROG_TYPE_KPROBE
	ProgTypeSchedCls              ProgType = 3  // BPF_PROG_TYPE_SCHED_CLS
	ProgTypeSchedAct              ProgType = 4  // BPF_PROG_TYPE_SCHED_ACT
	ProgTypeTracepoint            ProgType = 5  // BPF_PROG_TYPE_TRACEPOINT
	ProgTypeXDP                   ProgType = 6  // BPF_PROG_TYPE_XDP
	ProgTypePerfEvent             ProgType = 7  // BPF_PROG_TYPE_PERF_EVENT
	ProgTypeCgroupSKB             ProgType = 8  // BPF_PROG_TYPE_CGROUP_SKB
	ProgTypeCgroupSock            ProgType = 9  // BPF_PROG_TYPE_CGROUP_SOCK
	ProgTypeLWTIn                 ProgType = 10 // BPF_PROG_TYPE_LWT_IN
	ProgTypeLWTOut                ProgType = 11 // BPF_PROG_TYPE_LWT_OUT
	ProgTypeLWTXmit               ProgType = 12 // BPF_PROG_TYPE_LWT_XMIT
	ProgTypeSockOps               ProgType = 13 // BPF_PROG_TYPE_SOCK_OPS
	ProgTypeSKSKB                 ProgType = 14 // BPF_PROG_TYPE_SK_SKB
	ProgTypeCgroupDevice          ProgType = 15 // BPF_PROG_TYPE_CGROUP_DEVICE
	ProgTypeSKMsg                 ProgType = 16 // BPF_PROG_TYPE_SK_MSG
	ProgTypeRawTracepoint         ProgType = 17 // BPF_PROG_TYPE_RAW_TRACEPOINT
	ProgTypeCgroupSockAddr        ProgType = 18 // BPF_PROG_TYPE_CGROUP_SOCK_ADDR
	ProgTypeLWTSeg6local          ProgType = 19 // BPF_PROG_TYPE_LWT_SEG6LOCAL
	ProgTypeLircMode2             ProgType = 20 // BPF_PROG_TYPE_LIRC_MODE2
	ProgTypeSKReuseport           ProgType = 21 // BPF_PROG_TYPE_SK_REUSEPORT
	ProgTypeFlowDissector         ProgType = 22 // BPF_PROG_TYPE_FLOW_DISSECTOR
	ProgTypeCgroupSysctl          ProgType = 23 // BPF_PROG_TYPE_CGROUP_SYSCTL
	ProgTypeRawTracepointWritable ProgType = 24 // BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE
	ProgTypeCgroupSockopt         ProgType = 25 // BPF_PROG_TYPE_CGROUP_SOCKOPT
	ProgTypeTracing               ProgType = 26 // BPF_PROG_TYPE_TRACING
	ProgTypeStructOps             ProgType = 27 // BPF_PROG_TYPE_STRUCT_OPS
	ProgTypeExt                   ProgType = 28 // BPF_PROG_TYPE_EXT
	ProgTypeLSM                   ProgType = 29 // BPF_PROG_TYPE_LSM
	ProgTypeSKLookup              ProgType = 30 // BPF_PROG_TYPE_SK_LOOKUP
	ProgTypeSyscall               ProgType = 31 // BPF_PROG_TYPE_SYSCALL
	ProgTypeNetfilter             ProgType = 32 // BPF_PROG_TYPE_NETFILTER
)

// String gives the name that bpftool prints, or "prog_type(N)" for a number that this version does not know.
func (t ProgType) String() string {
	if name := nameAt(progTypeNames, uint32(t)); name != "" {
		return name
	}
	return "prog_type(" + strconv.FormatUint(uint64(t), 10) + ")"
}

const progTypeNames = "" +
	"unspec," +
	"socket_filter," +
	"kprobe," +
	"sched_cls," +
	"sched_act," +
	"tracepoint," +
	"xdp," +
	"perf_event," +
	"cgroup_skb," +
	"cgroup_sock," +
	"lwt_in," +
	"lwt_out," +
	"lwt_xmit," +
	"sock_ops," +
	"sk_skb," +
	"cgroup_device," +
	"sk_msg," +
	"raw_tracepoint," +
	"cgroup_sock_addr," +
	"lwt_seg6local," +
	"lirc_mode2," +
	"sk_reuseport," +
	"flow_dissector," +
	"cgroup_sysctl," +
	"raw_tracepoint_writable," +
	"cgroup_sockopt," +
	"tracing," +
	"struct_ops," +
	"ext," +
	"lsm," +
	"sk_lookup," +
	"syscall," +
	"netfilter"
