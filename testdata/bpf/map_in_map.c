// Maps of maps: with inner definitions by name and in line, with and without initial values.
#include "common.h"

struct inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} red SEC(".maps"), blue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 5);
	__type(key, __u32);
	__array(values, struct inner);
} by_index SEC(".maps") = {
	.values = { [0] = &red, [3] = &blue, [4] = &red },
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} by_hash SEC(".maps") = {
	.values = { [1] = &blue },
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 16);
	__type(key, __u64);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_ARRAY);
		__uint(max_entries, 2);
		__uint(key_size, 4);
		__uint(value_size, 16);
	});
} empty SEC(".maps");

SEC("socket")
int count(struct __sk_buff *skb)
{
	__u32 slot = 3, key = skb->protocol;
	__u64 one = 1, *n;
	void *map = bpf_map_lookup_elem(&by_index, &slot);

	if (!map)
		return 0;
	n = bpf_map_lookup_elem(map, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(map, &key, &one, BPF_ANY);
	return 0;
}
