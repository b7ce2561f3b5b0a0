// Programs in sections whose names say nothing to a loader, beside one that has a type. One of them is of a type that wants an attach type too.
#include "common.h"

__u64 calls;

SEC("socket")
int known(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&calls, 1);
	return 0;
}

SEC("packets/of_mine")
int own_name(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&calls, 100);
	return 0;
}

SEC("prog")
int old_name(struct bpf_sock_addr *ctx)
{
	__sync_fetch_and_add(&calls, 1000);
	return 1;
}
