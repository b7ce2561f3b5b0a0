// Calls between sections: from .text into the section of a program and back, between the sections of two programs; static data by section and offset.
#include "common.h"

static volatile __u64 numbers[4] = { 1, 20, 300, 4000 };
static volatile const __u64 powers[4] = { 1, 10, 100, 1000 };
static volatile __u64 sums[4];
__u64 result;

static __noinline __u64 innermost(__u64 n)
{
	sums[3] += n;
	return sums[3] + numbers[3];
}

SEC("tc")
static __noinline __u64 among_programs(__u64 n)
{
	sums[1] += innermost(n * powers[2]);
	return sums[1] + 1;
}

static __noinline __u64 outermost(__u64 n)
{
	return among_programs(n + numbers[2]) + innermost(2);
}

SEC("socket")
int cross(struct __sk_buff *skb)
{
	result = outermost(5);
	return 0;
}

SEC("tc")
int cross_too(struct __sk_buff *skb)
{
	result = outermost(6) + among_programs(7);
	return 0;
}
