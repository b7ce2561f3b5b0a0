// Externs that are variables of the kernel, by their types: one for each processor, and a weak one that no kernel has.
#include "common.h"

extern const int bpf_prog_active __ksym;
extern const int pinion_has_no_such_variable __ksym __weak;

__u64 active = -1, missing_address = 1;

SEC("raw_tp/sys_enter")
int read_variables(void *ctx)
{
	int *here = bpf_this_cpu_ptr(&bpf_prog_active);

	active = *here;
	missing_address = (__u64)&pinion_has_no_such_variable;
	return 0;
}
