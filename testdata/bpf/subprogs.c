// Subprograms: static ones that call each other and use maps and globals, shared by programs of different sections; global functions.
#include "common.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

__u64 depth;

static __noinline __u64 lookup(__u32 key)
{
	__u64 *n = bpf_map_lookup_elem(&seen, &key);

	return n ? *n : 0;
}

static __noinline __u64 store(__u32 key, __u64 n)
{
	depth++;
	return bpf_map_update_elem(&seen, &key, &n, BPF_ANY);
}

static __noinline __u64 bump(__u32 key)
{
	return store(key, lookup(key) + 1);
}

__noinline int mix(__u32 a, __u32 b)
{
	a ^= b << 7 | b >> 25;
	return a * 2654435761u;
}

__noinline int fold(struct __sk_buff *skb)
{
	return mix(skb->len, skb->protocol);
}

SEC("socket")
int shallow(struct __sk_buff *skb)
{
	return lookup(skb->len);
}

SEC("socket")
int deep(struct __sk_buff *skb)
{
	return bump(skb->len);
}

SEC("socket")
int global(struct __sk_buff *skb)
{
	return fold(skb) & 0xffff;
}

SEC("tc")
int both(struct __sk_buff *skb)
{
	return bump(mix(skb->len, 3)) ? -1 : lookup(skb->mark);
}
