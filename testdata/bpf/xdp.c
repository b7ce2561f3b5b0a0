// XDP: two programs for an interface, and ones for entries of a devmap and a cpumap.
#include "common.h"

__u64 packets;

SEC("xdp")
int xdp_count(struct xdp_md *ctx)
{
	__sync_fetch_and_add(&packets, 1);
	return XDP_PASS;
}

SEC("xdp")
int xdp_pass(struct xdp_md *ctx)
{
	return ctx->data < ctx->data_end ? XDP_PASS : XDP_DROP;
}

SEC("xdp/devmap")
int xdp_devmap(struct xdp_md *ctx)
{
	return ctx->egress_ifindex ? XDP_PASS : XDP_DROP;
}

SEC("xdp/cpumap")
int xdp_cpumap(struct xdp_md *ctx)
{
	return XDP_PASS;
}
