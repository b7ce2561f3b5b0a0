// Two licenses, of which the first counts: a GPL-only helper is called.
#include "common.h"

char _another[] SEC("license") = "Proprietary";

__u64 task;

SEC("socket")
int ask(struct __sk_buff *skb)
{
	task = bpf_get_current_task();
	return 0;
}
