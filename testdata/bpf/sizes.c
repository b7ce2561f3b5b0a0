// Maps whose sizes a loader has to round or to fill in: ring buffers and perf event arrays, with types that only say what their records are.
#include "common.h"

struct event {
	__u64 a, b;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 70000);
	__type(value, struct event);
} odd SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1);
} smallest SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(value, struct event);
} for_each_cpu SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 4);
} for_one SEC(".maps");

__u64 size, smallest_size, kept;

SEC("socket")
int ask(struct __sk_buff *skb)
{
	struct event e = { 1, 2 };

	bpf_ringbuf_output(&odd, &e, sizeof(e), 0);
	size = bpf_ringbuf_query(&odd, BPF_RB_RING_SIZE);
	kept = bpf_ringbuf_query(&odd, BPF_RB_AVAIL_DATA);
	smallest_size = bpf_ringbuf_query(&smallest, BPF_RB_RING_SIZE);
	return 0;
}
