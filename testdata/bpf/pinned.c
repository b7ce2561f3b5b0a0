// Two maps that ask to be pinned by name, and one that does not.
#include "common.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, __u64);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, __u64);
} total SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(pinning, LIBBPF_PIN_NONE);
	__type(key, __u32);
	__type(value, __u64);
} scratch SEC(".maps");

SEC("socket")
int count(struct __sk_buff *skb)
{
	__u32 protocol = skb->protocol, zero = 0;
	__u64 one = 1, *n;

	n = bpf_map_lookup_elem(&flows, &protocol);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&flows, &protocol, &one, BPF_ANY);
	n = bpf_map_lookup_elem(&total, &zero);
	if (n)
		__sync_fetch_and_add(n, 1);
	bpf_map_update_elem(&scratch, &zero, &one, BPF_ANY);
	return 0;
}
