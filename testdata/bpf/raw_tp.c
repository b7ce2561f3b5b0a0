// A raw tracepoint: counts the system calls made by threads of one thread group, or by all while the group is 0.
#include "common.h"

__u32 group;
__u64 calls;

SEC("raw_tp/sys_enter")
int count_calls(struct bpf_raw_tracepoint_args *ctx)
{
	if (!group || bpf_get_current_pid_tgid() >> 32 == group)
		__sync_fetch_and_add(&calls, 1);
	return 0;
}
