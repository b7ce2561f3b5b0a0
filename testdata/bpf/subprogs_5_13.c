// A callback: its address is loaded by a relocated instruction, and it calls a subprogram of its own. bpf_for_each_map_elem is of Linux 5.13.
#include "common.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} values SEC(".maps");

struct bpf_map;

struct sum {
	__u64 total;
	__u32 skip;
};

static __noinline __u64 weigh(__u64 value, __u32 key)
{
	return value * (key + 1);
}

static long add(struct bpf_map *map, __u32 *key, __u64 *value, struct sum *sum)
{
	if (*key != sum->skip)
		sum->total += weigh(*value, *key);
	return 0;
}

SEC("socket")
int total(struct __sk_buff *skb)
{
	struct sum sum = { .skip = skb->len };

	bpf_for_each_map_elem(&values, add, &sum, 0);
	return sum.total;
}
