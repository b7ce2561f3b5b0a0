// Counts the packets that carry a number, at an interface and in a cgroup, and marks each number: so a test sees what an upgrade missed, or had counted twice.
#include "common.h"

#ifndef VERSION
#define VERSION 0
#endif

enum { INTERFACE, CGROUP, HOOKS };
enum { VERSIONS = 2, NUMBERS = 1 << 20 };

#define MAGIC 0x6e6f696e69502d47ULL

struct payload {
	__u64 magic;
	__u32 number;
	__u32 unused;
};

// How often each number was counted, by hook and version.
struct marks {
	__u32 times[HOOKS][VERSIONS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NUMBERS);
	__type(key, __u32);
	__type(value, struct marks);
} seen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HOOKS);
	__type(key, __u32);
	__type(value, __u64);
} packets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HOOKS * VERSIONS);
	__type(key, __u32);
	__type(value, __u64);
} versions SEC(".maps");

static __always_inline void count(__u32 hook, const struct payload *p)
{
	__u32 number = p->number, slot = hook * VERSIONS + VERSION;
	struct marks *marks;
	__u64 *n;

	if (p->magic != MAGIC)
		return;
	marks = bpf_map_lookup_elem(&seen, &number);
	if (marks)
		__sync_fetch_and_add(&marks->times[hook][VERSION], 1);
	n = bpf_map_lookup_elem(&packets, &hook);
	if (n)
		__sync_fetch_and_add(n, 1); // a packet may interrupt another one on its CPU
	n = bpf_map_lookup_elem(&versions, &slot);
	if (n)
		__sync_fetch_and_add(n, 1);
}

SEC("xdp")
int at_interface(struct xdp_md *ctx)
{
	// Behind the headers of Ethernet, IPv4 and UDP.
	const struct payload *p = (void *)(long)ctx->data + 14 + 20 + 8;

	if ((void *)(p + 1) <= (void *)(long)ctx->data_end)
		count(INTERFACE, p);
	return XDP_PASS;
}

SEC("cgroup_skb/egress")
int in_cgroup(struct __sk_buff *skb)
{
	struct payload p;

	if (!bpf_skb_load_bytes(skb, 20 + 8, &p, sizeof(p)))
		count(CGROUP, &p);
	return 1;
}
