// A program for perf events: counts samples by CPU. Its context is not looked at, because its layout is another on every architecture.
#include "common.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} samples SEC(".maps");

SEC("perf_event")
int count_samples(void *ctx)
{
	__u32 key = 0;
	__u64 *n = bpf_map_lookup_elem(&samples, &key);

	if (n)
		++*n;
	return 0;
}
