// Types, but no .BTF.ext, as some tools leave it: maps in .maps and global data, programs without func_info and line_info.
#include "common.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} hits SEC(".maps");

__u64 total;
volatile __u32 step = 3;

static __noinline __u64 add(__u64 n)
{
	total += n * step;
	return total;
}

SEC("socket")
int count(struct __sk_buff *skb)
{
	__u32 key = 1;
	__u64 *n = bpf_map_lookup_elem(&hits, &key);

	if (n)
		*n += add(7);
	return 0;
}
