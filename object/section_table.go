package object

import (
	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// sectionRow says what programs of a section are: libbpf's section_defs (libbpf.c), with its rows in its order.
type sectionRow struct {
	name       string // "xdp"; and, if bits has more, whatever begins with "xdp/"
	progType   sys.ProgType
	attachType sys.AttachType // expected_attach_type of BPF_PROG_LOAD
	bits       sectionBits
	attach     attachWay
}

type sectionBits uint8

const (
	more      sectionBits = 1 << iota // text may follow after "/": what to attach to
	sleepable                         // BPF_F_SLEEPABLE
	frags                             // BPF_F_XDP_HAS_FRAGS
)

// attachWay is how the text after the section's name says where to attach a program. A constant, not a function: what nobody
// attaches shall not be linked.
type attachWay uint8

const (
	attachNone          attachWay = iota // it does not
	attachKprobe                         // function[+offset]
	attachUprobe                         // path:function[+offset]
	attachKprobeMulti                    // pattern of functions
	attachKprobeSession                  // pattern of functions
	attachUprobeMulti                    // path:pattern
	attachKsyscall                       // system call
	attachUSDT                           // path:provider:name
	attachTracepoint                     // category/name
	attachRawTracepoint                  // name
	attachTracing                        // function, module:function, or a raw tracepoint's name
	attachLSM                            // hook
	attachIter                           // iterator
	attachTracingMulti                   // pattern of functions
)

// matchSection returns the first row that fits a section, and the text after the row's name and "/"; nil if none does. A "?"
// before the name must have been taken off.
func matchSection(name string) (*sectionRow, string) {
	for i := range sectionTable {
		row := &sectionTable[i]
		rest, found := text.CutPrefix(name, row.name)
		if !found {
			continue
		}
		if rest == "" {
			return row, ""
		}
		if row.bits&more != 0 && rest[0] == '/' {
			return row, rest[1:]
		}
	}
	return nil, ""
}

var sectionTable = [...]sectionRow{
	{"socket", sys.ProgTypeSocketFilter, 0, 0, attachNone},
	{"sk_reuseport/migrate", sys.ProgTypeSKReuseport, sys.AttachTypeSKReuseportSelectOrMigrate, 0, attachNone},
	{"sk_reuseport", sys.ProgTypeSKReuseport, sys.AttachTypeSKReuseportSelect, 0, attachNone},
	{"kprobe", sys.ProgTypeKprobe, 0, more, attachKprobe},
	{"uprobe", sys.ProgTypeKprobe, 0, more, attachUprobe},
	{"uprobe.s", sys.ProgTypeKprobe, 0, more | sleepable, attachUprobe},
	{"kretprobe", sys.ProgTypeKprobe, 0, more, attachKprobe},
	{"uretprobe", sys.ProgTypeKprobe, 0, more, attachUprobe},
	{"uretprobe.s", sys.ProgTypeKprobe, 0, more | sleepable, attachUprobe},
	{"kprobe.multi", sys.ProgTypeKprobe, sys.AttachTypeTraceKprobeMulti, more, attachKprobeMulti},
	{"kretprobe.multi", sys.ProgTypeKprobe, sys.AttachTypeTraceKprobeMulti, more, attachKprobeMulti},
	{"kprobe.session", sys.ProgTypeKprobe, sys.AttachTypeTraceKprobeSession, more, attachKprobeSession},
	{"uprobe.multi", sys.ProgTypeKprobe, sys.AttachTypeTraceUprobeMulti, more, attachUprobeMulti},
	{"uretprobe.multi", sys.ProgTypeKprobe, sys.AttachTypeTraceUprobeMulti, more, attachUprobeMulti},
	{"uprobe.session", sys.ProgTypeKprobe, sys.AttachTypeTraceUprobeSession, more, attachUprobeMulti},
	{"uprobe.multi.s", sys.ProgTypeKprobe, sys.AttachTypeTraceUprobeMulti, more | sleepable, attachUprobeMulti},
	{"uretprobe.multi.s", sys.ProgTypeKprobe, sys.AttachTypeTraceUprobeMulti, more | sleepable, attachUprobeMulti},
	{"uprobe.session.s", sys.ProgTypeKprobe, sys.AttachTypeTraceUprobeSession, more | sleepable, attachUprobeMulti},
	{"ksyscall", sys.ProgTypeKprobe, 0, more, attachKsyscall},
	{"kretsyscall", sys.ProgTypeKprobe, 0, more, attachKsyscall},
	{"usdt", sys.ProgTypeKprobe, 0, more, attachUSDT},
	{"usdt.s", sys.ProgTypeKprobe, 0, more | sleepable, attachUSDT},
	{"tc/ingress", sys.ProgTypeSchedCls, sys.AttachTypeTCXIngress, 0, attachNone},
	{"tc/egress", sys.ProgTypeSchedCls, sys.AttachTypeTCXEgress, 0, attachNone},
	{"tcx/ingress", sys.ProgTypeSchedCls, sys.AttachTypeTCXIngress, 0, attachNone},
	{"tcx/egress", sys.ProgTypeSchedCls, sys.AttachTypeTCXEgress, 0, attachNone},
	{"tc", sys.ProgTypeSchedCls, 0, 0, attachNone},
	{"classifier", sys.ProgTypeSchedCls, 0, 0, attachNone},
	{"action", sys.ProgTypeSchedAct, 0, 0, attachNone},
	{"netkit/primary", sys.ProgTypeSchedCls, sys.AttachTypeNetkitPrimary, 0, attachNone},
	{"netkit/peer", sys.ProgTypeSchedCls, sys.AttachTypeNetkitPeer, 0, attachNone},
	{"tracepoint", sys.ProgTypeTracepoint, 0, more, attachTracepoint},
	{"tp", sys.ProgTypeTracepoint, 0, more, attachTracepoint},
	{"raw_tracepoint", sys.ProgTypeRawTracepoint, 0, more, attachRawTracepoint},
	{"raw_tp", sys.ProgTypeRawTracepoint, 0, more, attachRawTracepoint},
	{"raw_tracepoint.w", sys.ProgTypeRawTracepointWritable, 0, more, attachRawTracepoint},
	{"raw_tp.w", sys.ProgTypeRawTracepointWritable, 0, more, attachRawTracepoint},
	{"tp_btf", sys.ProgTypeTracing, sys.AttachTypeTraceRawTP, more, attachTracing},
	{"fentry", sys.ProgTypeTracing, sys.AttachTypeTraceFentry, more, attachTracing},
	{"fmod_ret", sys.ProgTypeTracing, sys.AttachTypeModifyReturn, more, attachTracing},
	{"fexit", sys.ProgTypeTracing, sys.AttachTypeTraceFexit, more, attachTracing},
	{"fentry.s", sys.ProgTypeTracing, sys.AttachTypeTraceFentry, more | sleepable, attachTracing},
	{"fmod_ret.s", sys.ProgTypeTracing, sys.AttachTypeModifyReturn, more | sleepable, attachTracing},
	{"fexit.s", sys.ProgTypeTracing, sys.AttachTypeTraceFexit, more | sleepable, attachTracing},
	{"fsession", sys.ProgTypeTracing, sys.AttachTypeTraceFsession, more, attachTracing},
	{"fsession.s", sys.ProgTypeTracing, sys.AttachTypeTraceFsession, more | sleepable, attachTracing},
	{"freplace", sys.ProgTypeExt, 0, more, attachTracing},
	{"lsm", sys.ProgTypeLSM, sys.AttachTypeLSMMac, more, attachLSM},
	{"lsm.s", sys.ProgTypeLSM, sys.AttachTypeLSMMac, more | sleepable, attachLSM},
	{"lsm_cgroup", sys.ProgTypeLSM, sys.AttachTypeLSMCgroup, more, attachNone},
	{"iter", sys.ProgTypeTracing, sys.AttachTypeTraceIter, more, attachIter},
	{"iter.s", sys.ProgTypeTracing, sys.AttachTypeTraceIter, more | sleepable, attachIter},
	{"syscall", sys.ProgTypeSyscall, 0, sleepable, attachNone},
	{"xdp.frags/devmap", sys.ProgTypeXDP, sys.AttachTypeXDPDevmap, frags, attachNone},
	{"xdp/devmap", sys.ProgTypeXDP, sys.AttachTypeXDPDevmap, 0, attachNone},
	{"xdp.frags/cpumap", sys.ProgTypeXDP, sys.AttachTypeXDPCpumap, frags, attachNone},
	{"xdp/cpumap", sys.ProgTypeXDP, sys.AttachTypeXDPCpumap, 0, attachNone},
	{"xdp.frags", sys.ProgTypeXDP, sys.AttachTypeXDP, frags, attachNone},
	{"xdp", sys.ProgTypeXDP, sys.AttachTypeXDP, 0, attachNone},
	{"perf_event", sys.ProgTypePerfEvent, 0, 0, attachNone},
	{"lwt_in", sys.ProgTypeLWTIn, 0, 0, attachNone},
	{"lwt_out", sys.ProgTypeLWTOut, 0, 0, attachNone},
	{"lwt_xmit", sys.ProgTypeLWTXmit, 0, 0, attachNone},
	{"lwt_seg6local", sys.ProgTypeLWTSeg6local, 0, 0, attachNone},
	{"sockops", sys.ProgTypeSockOps, sys.AttachTypeCgroupSockOps, 0, attachNone},
	{"sk_skb/stream_parser", sys.ProgTypeSKSKB, sys.AttachTypeSKSKBStreamParser, 0, attachNone},
	{"sk_skb/stream_verdict", sys.ProgTypeSKSKB, sys.AttachTypeSKSKBStreamVerdict, 0, attachNone},
	{"sk_skb/verdict", sys.ProgTypeSKSKB, sys.AttachTypeSKSKBVerdict, 0, attachNone},
	{"sk_skb", sys.ProgTypeSKSKB, 0, 0, attachNone},
	{"sk_msg", sys.ProgTypeSKMsg, sys.AttachTypeSKMsgVerdict, 0, attachNone},
	{"lirc_mode2", sys.ProgTypeLircMode2, sys.AttachTypeLircMode2, 0, attachNone},
	{"flow_dissector", sys.ProgTypeFlowDissector, sys.AttachTypeFlowDissector, 0, attachNone},
	{"cgroup_skb/ingress", sys.ProgTypeCgroupSKB, sys.AttachTypeCgroupInetIngress, 0, attachNone},
	{"cgroup_skb/egress", sys.ProgTypeCgroupSKB, sys.AttachTypeCgroupInetEgress, 0, attachNone},
	{"cgroup/skb", sys.ProgTypeCgroupSKB, 0, 0, attachNone},
	{"cgroup/sock_create", sys.ProgTypeCgroupSock, sys.AttachTypeCgroupInetSockCreate, 0, attachNone},
	{"cgroup/sock_release", sys.ProgTypeCgroupSock, sys.AttachTypeCgroupInetSockRelease, 0, attachNone},
	{"cgroup/sock", sys.ProgTypeCgroupSock, sys.AttachTypeCgroupInetSockCreate, 0, attachNone},
	{"cgroup/post_bind4", sys.ProgTypeCgroupSock, sys.AttachTypeCgroupInet4PostBind, 0, attachNone},
	{"cgroup/post_bind6", sys.ProgTypeCgroupSock, sys.AttachTypeCgroupInet6PostBind, 0, attachNone},
	{"cgroup/bind4", sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupInet4Bind, 0, attachNone},
	{"cgroup/bind6", sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupInet6Bind, 0, attachNone},
	{"cgroup/connect4", sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupInet4Connect, 0, attachNone},
	{"cgroup/connect6", sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupInet6Connect, 0, attachNone},
	{"cgroup/connect_unix", sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupUnixConnect, 0, attachNone},
	{"cgroup/sendmsg4", sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupUDP4Sendmsg, 0, attachNone},
	{"cgroup/sendmsg6", sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupUDP6Sendmsg, 0, attachNone},
	{"cgroup/sendmsg_unix", sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupUnixSendmsg, 0, attachNone},
	{"cgroup/recvmsg4", sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupUDP4Recvmsg, 0, attachNone},
	{"cgroup/recvmsg6", sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupUDP6Recvmsg, 0, attachNone},
	{"cgroup/recvmsg_unix", sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupUnixRecvmsg, 0, attachNone},
	{"cgroup/getpeername4", sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupInet4Getpeername, 0, attachNone},
	{"cgroup/getpeername6", sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupInet6Getpeername, 0, attachNone},
	{"cgroup/getpeername_unix", sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupUnixGetpeername, 0, attachNone},
	{"cgroup/getsockname4", sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupInet4Getsockname, 0, attachNone},
	{"cgroup/getsockname6", sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupInet6Getsockname, 0, attachNone},
	{"cgroup/getsockname_unix", sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupUnixGetsockname, 0, attachNone},
	{"cgroup/sysctl", sys.ProgTypeCgroupSysctl, sys.AttachTypeCgroupSysctl, 0, attachNone},
	{"cgroup/getsockopt", sys.ProgTypeCgroupSockopt, sys.AttachTypeCgroupGetsockopt, 0, attachNone},
	{"cgroup/setsockopt", sys.ProgTypeCgroupSockopt, sys.AttachTypeCgroupSetsockopt, 0, attachNone},
	{"cgroup/dev", sys.ProgTypeCgroupDevice, sys.AttachTypeCgroupDevice, 0, attachNone},
	{"struct_ops", sys.ProgTypeStructOps, 0, more, attachNone},
	{"struct_ops.s", sys.ProgTypeStructOps, 0, more | sleepable, attachNone},
	{"sk_lookup", sys.ProgTypeSKLookup, sys.AttachTypeSKLookup, 0, attachNone},
	{"netfilter", sys.ProgTypeNetfilter, sys.AttachTypeNetfilter, 0, attachNone},

	// Newer than libbpf 1.7.
	{"tracepoint.s", sys.ProgTypeTracepoint, 0, more | sleepable, attachTracepoint},
	{"tp.s", sys.ProgTypeTracepoint, 0, more | sleepable, attachTracepoint},
	{"raw_tracepoint.s", sys.ProgTypeRawTracepoint, 0, more | sleepable, attachRawTracepoint},
	{"raw_tp.s", sys.ProgTypeRawTracepoint, 0, more | sleepable, attachRawTracepoint},
	{"tp_btf.s", sys.ProgTypeTracing, sys.AttachTypeTraceRawTP, more | sleepable, attachTracing},
	{"fsession.multi", sys.ProgTypeTracing, sys.AttachTypeTraceFsessionMulti, more, attachTracingMulti},
	{"fsession.multi.s", sys.ProgTypeTracing, sys.AttachTypeTraceFsessionMulti, more | sleepable, attachTracingMulti},
	{"fentry.multi", sys.ProgTypeTracing, sys.AttachTypeTraceFentryMulti, more, attachTracingMulti},
	{"fexit.multi", sys.ProgTypeTracing, sys.AttachTypeTraceFexitMulti, more, attachTracingMulti},
	{"fentry.multi.s", sys.ProgTypeTracing, sys.AttachTypeTraceFentryMulti, more | sleepable, attachTracingMulti},
	{"fexit.multi.s", sys.ProgTypeTracing, sys.AttachTypeTraceFexitMulti, more | sleepable, attachTracingMulti},
}
