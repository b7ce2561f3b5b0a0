// XDP that takes packets in fragments, from Linux 5.18 on: the section says so, and the loader must set a flag.
#include "common.h"

__u64 packets;

SEC("xdp.frags")
int xdp_fragments(struct xdp_md *ctx)
{
	__sync_fetch_and_add(&packets, 1);
	return XDP_PASS;
}
