// Maps whose names differ only in '.' and '_': a loader that turns one into the other pins several of them at one path.
#include "common.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} _data_foo SEC(".maps");

SEC(".data.foo") __u32 dotted = 1;
SEC(".data.a.b") __u32 with_dot = 2;
SEC(".data.a_b") __u32 with_underscore = 3;

SEC("socket")
int data_foo(struct __sk_buff *skb)
{
	__u32 key = 0;
	__u64 *n = bpf_map_lookup_elem(&_data_foo, &key);

	if (n)
		__sync_fetch_and_add(n, dotted++ + with_dot++ + with_underscore++);
	return 0;
}
