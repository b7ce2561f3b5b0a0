// Externs that no kernel has, or not of the type that is declared, each reached by a program that is not loaded unless it is asked for.
#include "common.h"

extern const void pinion_has_no_such_symbol __ksym;
extern const int pinion_has_no_such_variable __ksym;
extern int pinion_has_no_such_function(int x) __ksym;
extern int pinion_has_no_such_weak_function(int x) __ksym __weak;
extern int schedule(int x) __ksym;
extern int bpf_prog_put(int x) __ksym __weak;

__u64 value;

SEC("raw_tp/sys_enter")
int good(void *ctx)
{
	value = 7;
	return 0;
}

SEC("?raw_tp/sys_enter")
int symbol(void *ctx)
{
	value = (__u64)&pinion_has_no_such_symbol;
	return 0;
}

SEC("?raw_tp/sys_enter")
int variable(void *ctx)
{
	value = (__u64)&pinion_has_no_such_variable;
	return 0;
}

static __noinline int call_none(int x)
{
	return pinion_has_no_such_function(x);
}

SEC("?raw_tp/sys_enter")
int function(void *ctx)
{
	return call_none(1);
}

SEC("?raw_tp/sys_enter")
int unguarded(void *ctx)
{
	return pinion_has_no_such_weak_function(1);
}

SEC("?raw_tp/sys_enter")
int other_type(void *ctx)
{
	return schedule(1);
}

SEC("?raw_tp/sys_enter")
int weak_other_type(void *ctx)
{
	if (bpf_prog_put)
		return bpf_prog_put(1);
	value = 8;
	return 0;
}
