// Maps that Linux 5.10 does not have or does not give to all programs: task_storage (5.11), bloom_filter and its map_extra (5.16).
#include "common.h"

struct note {
	__u64 time;
	__u32 uses;
};

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 100);
	__uint(map_extra, 3); // hash functions
	__type(value, __u32);
} bloom_filter SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct note);
} task_storage SEC(".maps");

// Needs CONFIG_BPF_LSM as well.
struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct note);
} inode_storage SEC(".maps");

SEC("socket")
int look(struct __sk_buff *skb)
{
	__u32 length = skb->len;

	return bpf_map_peek_elem(&bloom_filter, &length) ? 0 : -1;
}
