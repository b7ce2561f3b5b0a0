// Programs at a function of tun, which is a module of most kernels: by its name, and by its module's too.
#include "common.h"

__u64 opened, named;

SEC("fentry/tun_chr_open")
int opens(unsigned long long *ctx)
{
	opened++;
	return 0;
}

SEC("fentry/tun:tun_chr_open")
int opens_of_module(unsigned long long *ctx)
{
	named++;
	return 0;
}
