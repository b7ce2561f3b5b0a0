// A hash and variables that its next version has in another shape: counts the sockets that are made in a cgroup, by address family.
#include "common.h"

struct session {
	__u64 count;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32);
	__type(key, __u32);
	__type(value, struct session);
} sessions SEC(".maps");

__u64 total;
__u64 retired; // which the next version has no more

SEC("cgroup/sock_create")
int count(struct bpf_sock *sk)
{
	__u32 family = sk->family;
	struct session *s = bpf_map_lookup_elem(&sessions, &family), new = { 1 };

	if (s)
		__sync_fetch_and_add(&s->count, 1);
	else
		bpf_map_update_elem(&sessions, &family, &new, BPF_ANY);
	__sync_fetch_and_add(&total, 1);
	return 1;
}
