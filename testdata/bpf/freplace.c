// Programs for a function of another program, which is that of replaced: one in its place, two that see its calls.
#include "common.h"

__u64 replaced, entered, argument, returned;

SEC("freplace/decide")
int decide_otherwise(int length)
{
	replaced++;
	return length * 10;
}

SEC("?fentry/decide")
int enter(unsigned long long *ctx)
{
	entered++;
	argument = (int)ctx[0];
	return 0;
}

SEC("?fexit/decide")
int leave(unsigned long long *ctx)
{
	returned = (int)ctx[1];
	return 0;
}
