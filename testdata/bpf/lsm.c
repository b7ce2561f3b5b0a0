// A program at the hook of bpf(2) (security_bpf), one that may sleep.
#include "common.h"

__u32 group;
__u64 asked, command;

SEC("lsm.s/bpf")
int ask(unsigned long long *ctx)
{
	if (bpf_get_current_pid_tgid() >> 32 == group) {
		asked++;
		command = (int)ctx[0];
	}
	return 0;
}
