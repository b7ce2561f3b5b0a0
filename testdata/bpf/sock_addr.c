// Programs on socket addresses of a cgroup: every hook of Linux 5.10. All allow what is asked, and count.
#include "common.h"

enum { BIND, CONNECT, SENDMSG, RECVMSG, PEER, NAME, HOOKS };

__u64 calls[HOOKS];

#define ALLOW(section, name, hook)                             \
	SEC("cgroup/" section)                                 \
	int name(struct bpf_sock_addr *ctx)                    \
	{                                                      \
		__sync_fetch_and_add(&calls[hook], 1);         \
		return 1;                                      \
	}

ALLOW("bind4", on_bind4, BIND)
ALLOW("connect4", on_connect4, CONNECT)
ALLOW("sendmsg4", on_sendmsg4, SENDMSG)
ALLOW("recvmsg4", on_recvmsg4, RECVMSG)
ALLOW("getpeername4", on_getpeername4, PEER)
ALLOW("getsockname4", on_getsockname4, NAME)
ALLOW("bind6", on_bind6, BIND)
ALLOW("connect6", on_connect6, CONNECT)
ALLOW("sendmsg6", on_sendmsg6, SENDMSG)
ALLOW("recvmsg6", on_recvmsg6, RECVMSG)
ALLOW("getpeername6", on_getpeername6, PEER)
ALLOW("getsockname6", on_getsockname6, NAME)
