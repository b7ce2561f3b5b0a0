// Programs at functions of the kernel: those that a test run of them calls (net/bpf/test_run.c), also named as of the module vmlinux, and one that decides about bpf(2).
#include "common.h"

__u32 group;
__u64 entered, argument, returned, modified, named;

SEC("fentry/bpf_fentry_test1")
int enter(unsigned long long *ctx)
{
	entered++;
	argument = (int)ctx[0];
	return 0;
}

SEC("fexit/bpf_fentry_test1")
int leave(unsigned long long *ctx)
{
	returned = (int)ctx[1];
	return 0;
}

SEC("fentry/vmlinux:bpf_fentry_test1")
int enter_of_kernel(unsigned long long *ctx)
{
	named++;
	return 0;
}

// Of the functions that may be modified, those of security are in every kernel (check_attach_modify_return in kernel/bpf/verifier.c).
SEC("fmod_ret/security_bpf")
int modify(unsigned long long *ctx)
{
	if ((int)ctx[0] != BPF_MAP_GET_NEXT_ID || bpf_get_current_pid_tgid() >> 32 != group)
		return 0;
	modified++;
	return -25; // ENOTTY
}
