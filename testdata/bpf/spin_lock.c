// A spin lock in a map's value, which the verifier finds by BTF.
#include "common.h"

struct account {
	struct bpf_spin_lock lock;
	__u32 changes;
	__u64 from, to;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct account);
} accounts SEC(".maps");

__u64 from, to, changes;

SEC("tc")
int move(struct __sk_buff *skb)
{
	struct account empty = {};
	struct account *a;
	__u32 key = 1;

	bpf_map_update_elem(&accounts, &key, &empty, BPF_NOEXIST);
	a = bpf_map_lookup_elem(&accounts, &key);
	if (!a)
		return 1;
	bpf_spin_lock(&a->lock);
	a->from -= skb->len;
	a->to += skb->len;
	a->changes++;
	from = a->from;
	to = a->to;
	changes = a->changes;
	bpf_spin_unlock(&a->lock);
	return 0;
}
