// Old map definitions with more words than five that are not all zero: what they mean cannot be known, so a loader must refuse them.
#include "common.h"

struct bpf_map_def {
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 map_flags;
	__u32 id;
	__u32 pinning;
};

struct bpf_map_def SEC("maps") hits = {
	.type = BPF_MAP_TYPE_HASH,
	.key_size = sizeof(__u32),
	.value_size = sizeof(__u64),
	.max_entries = 16,
	.map_flags = BPF_F_NO_PREALLOC,
};

struct bpf_map_def SEC("maps") total = {
	.type = BPF_MAP_TYPE_ARRAY,
	.key_size = sizeof(__u32),
	.value_size = sizeof(__u64),
	.max_entries = 1,
	.pinning = 2,
};

SEC("socket")
int count(struct __sk_buff *skb)
{
	__u32 key = 0, protocol = skb->protocol;
	__u64 one = 1, *n = bpf_map_lookup_elem(&total, &key);

	if (n)
		__sync_fetch_and_add(n, 1);
	bpf_map_update_elem(&hits, &protocol, &one, BPF_ANY);
	return 0;
}
