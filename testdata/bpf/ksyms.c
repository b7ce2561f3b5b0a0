// Externs that are addresses of the kernel's symbols (/proc/kallsyms): a function, and a weak one that no kernel has.
#include "common.h"

extern const void schedule __ksym;
extern const void pinion_has_no_such_symbol __ksym __weak;

__u64 function_address, missing_address = 1;

SEC("raw_tp/sys_enter")
int read_symbols(void *ctx)
{
	function_address = (__u64)&schedule;
	missing_address = (__u64)&pinion_has_no_such_symbol;
	return 0;
}
