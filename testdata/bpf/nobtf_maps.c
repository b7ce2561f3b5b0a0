// Built without -g, as objects were before BTF: old map definitions, one of them static, and global data, some of it found by section and offset only.
#include "common.h"

struct bpf_map_def {
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 map_flags;
};

struct bpf_map_def SEC("maps") hits = {
	.type = BPF_MAP_TYPE_ARRAY,
	.key_size = sizeof(__u32),
	.value_size = sizeof(__u64),
	.max_entries = 2,
};

static struct bpf_map_def SEC("maps") own = {
	.type = BPF_MAP_TYPE_HASH,
	.key_size = sizeof(__u32),
	.value_size = sizeof(__u64),
	.max_entries = 4,
};

const volatile __u32 step = 5;
static volatile __u32 tables[2][4] = { { 1, 2, 3, 4 }, { 10, 20, 30, 40 } };
static __u64 before, sum;
__u64 total;

static __noinline void keep(__u32 key, __u64 n)
{
	bpf_map_update_elem(&own, &key, &n, BPF_ANY);
}

SEC("socket")
int count(struct __sk_buff *skb)
{
	__u32 key = 1;
	__u64 *n = bpf_map_lookup_elem(&hits, &key);

	before = sum;
	sum += tables[1][step & 3] + tables[0][3];
	total += sum + before;
	keep(key, total);
	if (n)
		*n += step;
	return 0;
}
