// A program array with initial values: the loader must fill it after it has loaded the programs.
#include "common.h"

int first(struct __sk_buff *skb);
int second(struct __sk_buff *skb);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__array(values, int(struct __sk_buff *));
} jumps SEC(".maps") = {
	.values = { [0] = &first, [2] = &second },
};

__u64 entered, reached_first, reached_second;

SEC("socket")
int entry(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&entered, 1);
	bpf_tail_call(skb, &jumps, 0);
	return 0; // slot 0 was empty
}

SEC("socket")
int first(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&reached_first, 1);
	bpf_tail_call(skb, &jumps, 2);
	return 0; // slot 2 was empty
}

SEC("socket")
int second(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&reached_second, 1);
	return skb->len;
}
