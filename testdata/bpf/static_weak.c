// Static and weak programs, maps and subprograms; a static function in a program section that is called, so no program; one in a section of its own.
#include "common.h"

static struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} own SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 3);
	__type(key, __u32);
	__type(value, __u64);
} shared SEC(".maps") __weak;

static struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} second SEC(".maps");

static __u64 calls;
__u64 total __weak;


// Not one of .text: a call of it crosses sections.
SEC("socket")
static __noinline __u64 bump(__u64 n)
{
	calls += n;
	return calls;
}

SEC(".text.cold")
static __noinline __u64 cold(__u64 n)
{
	total += n;
	return n + 1;
}

__weak __noinline int twice(int n)
{
	return n * 2;
}

SEC("socket")
static int quiet(struct __sk_buff *skb)
{
	__u32 key = 1;
	__u64 *value = bpf_map_lookup_elem(&own, &key);

	if (value)
		*value += bump(twice(8));
	return 0;
}

static struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__array(values, int (void *));
} jumps SEC(".maps") = {
	.values = { [1] = (void *)&quiet },
};

static struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, typeof(own));
} by_number SEC(".maps") = {
	.values = { [1] = &own },
};

SEC("socket")
static int jump(struct __sk_buff *skb)
{
	__u32 key = 1;
	void *map = bpf_map_lookup_elem(&by_number, &key);
	__u64 *value = map ? bpf_map_lookup_elem(map, &key) : 0;

	if (value)
		*value += 100;
	bpf_tail_call(skb, &jumps, 1);
	return 0;
}

SEC("tc")
__weak int soft(struct __sk_buff *skb)
{
	__u32 key = 1;
	__u64 *value = bpf_map_lookup_elem(&shared, &key);

	if (value)
		*value += bump(5);
	value = bpf_map_lookup_elem(&second, &key);
	if (value)
		*value += cold(9);
	return 0;
}
