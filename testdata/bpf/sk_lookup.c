// A program for a network namespace: counts the look-ups of sockets, and leaves each to the kernel.
#include "common.h"

__u64 lookups;

SEC("sk_lookup")
int count_lookups(struct bpf_sk_lookup *ctx)
{
	__sync_fetch_and_add(&lookups, 1);
	return 1; // SK_PASS
}
