// A program whose function other programs replace and trace: freplace.
#include "common.h"

__u64 decided, kept;

// The verifier must not know what it returns, for another function may take its place.
__attribute__((noinline)) int decide(int length)
{
	decided++;
	asm volatile("" ::: "memory");
	return length + 1;
}

SEC("xdp")
int keep(struct xdp_md *ctx)
{
	kept = decide(ctx->data_end - ctx->data);
	return 2; // XDP_PASS
}
