// A pinned map that several objects know by the same name: this one and events_b agree on it in everything.
#include "common.h"

struct event {
	__u64 time;
	__u32 length;
	__u32 mark;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, struct event);
} events SEC(".maps");

SEC("socket")
int record(struct __sk_buff *skb)
{
	__u32 key = skb->protocol;
	struct event event = {};

	bpf_map_update_elem(&events, &key, &event, BPF_ANY);
	return 0;
}
