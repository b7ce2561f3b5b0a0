// Two callbacks of bpf_loop, which is of Linux 5.17.
#include "common.h"

static long square(__u32 i, __u64 *sum)
{
	*sum += i * i;
	return 0;
}

static long until(__u32 i, __u32 *limit)
{
	return i >= *limit;
}

SEC("socket")
int squares(struct __sk_buff *skb)
{
	__u64 sum = 0;
	__u32 limit = skb->len;

	bpf_loop(10, square, &sum, 0);
	return sum + bpf_loop(1000, until, &limit, 0);
}
