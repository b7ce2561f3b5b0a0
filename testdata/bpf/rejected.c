// A program that the verifier refuses, for reading behind a map's value, between two good ones: loading must undo the first.
#include "common.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} small SEC(".maps");

SEC("socket")
int good(struct __sk_buff *skb)
{
	return skb->len;
}

SEC("socket")
int out_of_bounds(struct __sk_buff *skb)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&small, &key);

	return value ? ((volatile __u64 *)value)[1] : 0;
}

SEC("socket")
int good_too(struct __sk_buff *skb)
{
	return skb->mark;
}
