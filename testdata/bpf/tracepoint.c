// Tracepoints by category and name, under both spellings of the section.
#include "common.h"

__u32 group;
__u64 enters, exits;

SEC("tp/raw_syscalls/sys_enter")
int count_enters(void *ctx)
{
	if (bpf_get_current_pid_tgid() >> 32 == group)
		__sync_fetch_and_add(&enters, 1);
	return 0;
}

SEC("tracepoint/raw_syscalls/sys_exit")
int count_exits(void *ctx)
{
	if (bpf_get_current_pid_tgid() >> 32 == group)
		__sync_fetch_and_add(&exits, 1);
	return 0;
}
