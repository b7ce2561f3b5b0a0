// Names longer than the 15 bytes that the kernel keeps; two maps and two programs are equal up to there.
#include "common.h"

#define COUNTERS                                \
	__uint(type, BPF_MAP_TYPE_ARRAY);       \
	__uint(max_entries, 1);                 \
	__type(key, __u32);                     \
	__type(value, __u64)

struct {
	COUNTERS;
} connections_by_source_address SEC(".maps");

struct {
	COUNTERS;
} connections_by_target_address SEC(".maps");

SEC(".data.a_section_with_a_long_name") __u32 a_variable_with_a_long_name = 1;
SEC(".data.a_section_with_a_longer_name") __u32 a_variable_with_a_longer_name = 2;

static __noinline int count_in_a_subprogram_with_a_long_name(void *map, __u32 n)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(map, &key);

	if (value)
		__sync_fetch_and_add(value, n);
	return 0;
}

SEC("socket")
int count_connections_by_source(struct __sk_buff *skb)
{
	return count_in_a_subprogram_with_a_long_name(&connections_by_source_address, a_variable_with_a_long_name++);
}

SEC("socket")
int count_connections_by_target(struct __sk_buff *skb)
{
	return count_in_a_subprogram_with_a_long_name(&connections_by_target_address, a_variable_with_a_longer_name++);
}
