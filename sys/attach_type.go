package sys

import "strconv"

// AttachType is the hook a program is meant for: enum bpf_attach_type of include/uapi/linux/bpf.h.
type AttachType uint32

// Values of AttachType (include/uapi/linux/bpf.h).
const (
	AttachTypeCgroupInetIngress          AttachType = 0  // BPF_CGROUP_INET_INGRESS
	AttachTypeCgroupInetEgress           AttachType = 1  // BPF_CGROUP_INET_EGRESS
	AttachTypeCgroupInetSockCreate       AttachType = 2  // BPF_CGROUP_INET_SOCK_CREATE
	AttachTypeCgroupSockOps              AttachType = 3  // BPF_CGROUP_SOCK_OPS
	AttachTypeSKSKBStreamParser          AttachType = 4  // BPF_SK_SKB_STREAM_PARSER
	AttachTypeSKSKBStreamVerdict         AttachType = 5  // BPF_SK_SKB_STREAM_VERDICT
	AttachTypeCgroupDevice               AttachType = 6  // BPF_CGROUP_DEVICE
	AttachTypeSKMsgVerdict               AttachType = 7  // BPF_SK_MSG_VERDICT
	AttachTypeCgroupInet4Bind            AttachType = 8  // BPF_CGROUP_INET4_BIND
	AttachTypeCgroupInet6Bind            AttachType = 9  // BPF_CGROUP_INET6_BIND
	AttachTypeCgroupInet4Connect         AttachType = 10 // BPF_CGROUP_INET4_CONNECT
	AttachTypeCgroupInet6Connect         AttachType = 11 // BPF_CGROUP_INET6_CONNECT
	AttachTypeCgroupInet4PostBind        AttachType = 12 // BPF_CGROUP_INET4_POST_BIND
	AttachTypeCgroupInet6PostBind        AttachType = 13 // BPF_CGROUP_INET6_POST_BIND
	AttachTypeCgroupUDP4Sendmsg          AttachType = 14 // BPF_CGROUP_UDP4_SENDMSG
	AttachTypeCgroupUDP6Sendmsg          AttachType = 15 // BPF_CGROUP_UDP6_SENDMSG
	AttachTypeLircMode2                  AttachType = 16 // BPF_LIRC_MODE2
	AttachTypeFlowDissector              AttachType = 17 // BPF_FLOW_DISSECTOR
	AttachTypeCgroupSysctl               AttachType = 18 // BPF_CGROUP_SYSCTL
	AttachTypeCgroupUDP4Recvmsg          AttachType = 19 // BPF_CGROUP_UDP4_RECVMSG
	AttachTypeCgroupUDP6Recvmsg          AttachType = 20 // BPF_CGROUP_UDP6_RECVMSG
	AttachTypeCgroupGetsockopt           AttachType = 21 // BPF_CGROUP_GETSOCKOPT
	AttachTypeCgroupSetsockopt           AttachType = 22 // BPF_CGROUP_SETSOCKOPT
	AttachTypeTraceRawTP                 AttachType = 23 // BPF_TRACE_RAW_TP
	AttachTypeTraceFentry                AttachType = 24 // BPF_TRACE_FENTRY
	AttachTypeTraceFexit                 AttachType = 25 // BPF_TRACE_FEXIT
	AttachTypeModifyReturn               AttachType = 26 // BPF_MODIFY_RETURN
	AttachTypeLSMMac                     AttachType = 27 // BPF_LSM_MAC
	AttachTypeTraceIter                  AttachType = 28 // BPF_TRACE_ITER
	AttachTypeCgroupInet4Getpeername     AttachType = 29 // BPF_CGROUP_INET4_GETPEERNAME
	AttachTypeCgroupInet6Getpeername     AttachType = 30 // BPF_CGROUP_INET6_GETPEERNAME
	AttachTypeCgroupInet4Getsockname     AttachType = 31 // BPF_CGROUP_INET4_GETSOCKNAME
	AttachTypeCgroupInet6Getsockname     AttachType = 32 // BPF_CGROUP_INET6_GETSOCKNAME
	AttachTypeXDPDevmap                  AttachType = 33 // BPF_XDP_DEVMAP
	AttachTypeCgroupInetSockRelease      AttachType = 34 // BPF_CGROUP_INET_SOCK_RELEASE
	AttachTypeXDPCpumap                  AttachType = 35 // BPF_XDP_CPUMAP
	AttachTypeSKLookup                   AttachType = 36 // BPF_SK_LOOKUP
	AttachTypeXDP                        AttachType = 37 // BPF_XDP
	AttachTypeSKSKBVerdict               AttachType = 38 // BPF_SK_SKB_VERDICT
	AttachTypeSKReuseportSelect          AttachType = 39 // BPF_SK_REUSEPORT_SELECT
	AttachTypeSKReuseportSelectOrMigrate AttachType = 40 // BPF_SK_REUSEPORT_SELECT_OR_MIGRATE
	AttachTypePerfEvent                  AttachType = 41 // BPF_PERF_EVENT
	AttachTypeTraceKprobeMulti           AttachType = 42 // BPF_TRACE_KPROBE_MULTI
	AttachTypeLSMCgroup                  AttachType = 43 // BPF_LSM_CGROUP
	AttachTypeStructOps                  AttachType = 44 // BPF_STRUCT_OPS
	AttachTypeNetfilter                  AttachType = 45 // BPF_NETFILTER
	AttachTypeTCXIngress                 AttachType = 46 // BPF_TCX_INGRESS
	AttachTypeTCXEgress                  AttachType = 47 // BPF_TCX_EGRESS
	AttachTypeTraceUprobeMulti           AttachType = 48 // BPF_TRACE_UPROBE_MULTI
	AttachTypeCgroupUnixConnect          AttachType = 49 // BPF_CGROUP_UNIX_CONNECT
	AttachTypeCgroupUnixSendmsg          AttachType = 50 // BPF_CGROUP_UNIX_SENDMSG
	AttachTypeCgroupUnixRecvmsg          AttachType = 51 // BPF_CGROUP_UNIX_RECVMSG
	AttachTypeCgroupUnixGetpeername      AttachType = 52 // BPF_CGROUP_UNIX_GETPEERNAME
	AttachTypeCgroupUnixGetsockname      AttachType = 53 // BPF_CGROUP_UNIX_GETSOCKNAME
	AttachTypeNetkitPrimary              AttachType = 54 // BPF_NETKIT_PRIMARY
	AttachTypeNetkitPeer                 AttachType = 55 // BPF_NETKIT_PEER
	AttachTypeTraceKprobeSession         AttachType = 56 // BPF_TRACE_KPROBE_SESSION
	AttachTypeTraceUprobeSession         AttachType = 57 // BPF_TRACE_UPROBE_SESSION
	AttachTypeTraceFsession              AttachType = 58 // BPF_TRACE_FSESSION
	AttachTypeTraceFentryMulti           AttachType = 59 // BPF_TRACE_FENTRY_MULTI
	AttachTypeTraceFexitMulti            AttachType = 60 // BPF_TRACE_FEXIT_MULTI
	AttachTypeTraceFsessionMulti         AttachType = 61 // BPF_TRACE_FSESSION_MULTI
)

// String gives the name that bpftool prints, or "attach_type(N)" for a number that this version does not know.
func (t AttachType) String() string {
	if name := nameAt(attachTypeNames, uint32(t)); name != "" {
		return name
	}
	return "attach_type(" + strconv.FormatUint(uint64(t), 10) + ")"
}

const attachTypeNames = "" +
	"cgroup_inet_ingress," +
	"cgroup_inet_egress," +
	"cgroup_inet_sock_create," +
	"cgroup_sock_ops," +
	"sk_skb_stream_parser," +
	"sk_skb_stream_verdict," +
	"cgroup_device," +
	"sk_msg_verdict," +
	"cgroup_inet4_bind," +
	"cgroup_inet6_bind," +
	"cgroup_inet4_connect," +
	"cgroup_inet6_connect," +
	"cgroup_inet4_post_bind," +
	"cgroup_inet6_post_bind," +
	"cgroup_udp4_sendmsg," +
	"cgroup_udp6_sendmsg," +
	"lirc_mode2," +
	"flow_dissector," +
	"cgroup_sysctl," +
	"cgroup_udp4_recvmsg," +
	"cgroup_udp6_recvmsg," +
	"cgroup_getsockopt," +
	"cgroup_setsockopt," +
	"trace_raw_tp," +
	"trace_fentry," +
	"trace_fexit," +
	"modify_return," +
	"lsm_mac," +
	"trace_iter," +
	"cgroup_inet4_getpeername," +
	"cgroup_inet6_getpeername," +
	"cgroup_inet4_getsockname," +
	"cgroup_inet6_getsockname," +
	"xdp_devmap," +
	"cgroup_inet_sock_release," +
	"xdp_cpumap," +
	"sk_lookup," +
	"xdp," +
	"sk_skb_verdict," +
	"sk_reuseport_select," +
	"sk_reuseport_select_or_migrate," +
	"perf_event," +
	"trace_kprobe_multi," +
	"lsm_cgroup," +
	"struct_ops," +
	"netfilter," +
	"tcx_ingress," +
	"tcx_egress," +
	"trace_uprobe_multi," +
	"cgroup_unix_connect," +
	"cgroup_unix_sendmsg," +
	"cgroup_unix_recvmsg," +
	"cgroup_unix_getpeername," +
	"cgroup_unix_getsockname," +
	"netkit_primary," +
	"netkit_peer," +
	"trace_kprobe_session," +
	"trace_uprobe_session," +
	"trace_fsession," +
	"trace_fentry_multi," +
	"trace_fexit_multi," +
	"trace_fsession_multi"
