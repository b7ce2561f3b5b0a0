// Values of `pinning` that libbpf does not know and refuses; others use them (16 is cilium's PIN_REPLACE).
#include "common.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(pinning, 16);
	__type(key, __u32);
	__type(value, __u64);
} replaced SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(pinning, 100);
	__type(key, __u32);
	__type(value, __u64);
} unheard_of SEC(".maps");

SEC("socket")
int pass(struct __sk_buff *skb)
{
	return skb->len;
}
