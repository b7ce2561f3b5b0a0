// A timer in a map's value, which calls a function of the object a moment later.
#include "common.h"

#define CLOCK_MONOTONIC 1

struct entry {
	struct bpf_timer timer;
	__u64 number;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct entry);
} entries SEC(".maps");

__u64 started, rang, number;

static int ring(void *map, __u32 *key, struct entry *e)
{
	number = e->number;
	rang++;
	return 0;
}

SEC("tc")
int start(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct entry *e = bpf_map_lookup_elem(&entries, &key);

	if (!e)
		return 1;
	e->number = skb->len;
	bpf_timer_init(&e->timer, &entries, CLOCK_MONOTONIC);
	bpf_timer_set_callback(&e->timer, ring);
	started = bpf_timer_start(&e->timer, 1000, 0) == 0;
	return 0;
}
