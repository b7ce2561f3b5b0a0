// No license: what the kernel gives to GPL programs only is refused to this one. It does not include common.h for that reason.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 packets;

SEC("socket")
int count(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&packets, 1);
	return skb->len;
}
