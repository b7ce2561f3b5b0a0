// Externs that are symbols of the kernel: without a type (/proc/kallsyms), with one (the kernel's BTF), and a weak one that no kernel has.
#include "common.h"

extern const void schedule __ksym;
extern const int bpf_prog_active __ksym;
extern const void pinion_has_no_such_symbol __ksym __weak;

__u64 function_address, missing_address;
int active;

SEC("raw_tp/sys_enter")
int read_symbols(void *ctx)
{
	int *here = bpf_this_cpu_ptr(&bpf_prog_active);

	function_address = (__u64)&schedule;
	missing_address = (__u64)&pinion_has_no_such_symbol;
	active = *here;
	return 0;
}
