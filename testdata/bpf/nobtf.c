// Built without -g, so without BTF: variables are known from the symbol table alone.
#include "common.h"

const volatile __u32 step = 5;
__u64 packets;
static __u64 total;

static __noinline __u64 add(__u32 n)
{
	total += n;
	return total;
}

SEC("socket")
int count(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&packets, step);
	return add(skb->len);
}
