// The pinned map of events_a, with values of the same size but of other fields: only the BTF tells.
#include "common.h"

struct event {
	__u64 bytes;
	__u64 packets;
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
