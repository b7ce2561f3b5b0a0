// Programs that are not to be loaded unless asked for, beside one that is. The verifier would refuse `broken`.
#include "common.h"

__u64 calls;

SEC("raw_tp/sys_enter")
int always(void *ctx)
{
	__sync_fetch_and_add(&calls, 1);
	return 0;
}

SEC("?raw_tp/sys_enter")
int sometimes(void *ctx)
{
	__sync_fetch_and_add(&calls, 100);
	return 0;
}

SEC("?raw_tp/sys_exit")
int broken(void *ctx)
{
	return *(volatile int *)0;
}
