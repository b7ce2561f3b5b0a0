// A socket filter that counts what it lets through.
#include "common.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} by_length SEC(".maps");

SEC("socket")
int count(struct __sk_buff *skb)
{
	__u32 key = skb->len < 255 ? skb->len : 255;
	__u64 *n = bpf_map_lookup_elem(&by_length, &key);

	if (n)
		__sync_fetch_and_add(n, 1);
	return skb->len;
}
