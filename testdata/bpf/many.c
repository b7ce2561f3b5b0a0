// Thirty programs with a loop each that the verifier walks through, so that loading them one after another takes noticeable time.
#include "common.h"

__u64 results[30];

static __noinline __u64 churn(__u64 seed, __u32 rounds)
{
	for (__u32 i = 0; i < rounds; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		if (seed & 1)
			seed += i;
		seed ^= seed << 17;
	}
	return seed;
}

#define PROGRAM(n)                                                              \
	SEC("socket")                                                           \
	int work_##n(struct __sk_buff *skb)                                     \
	{                                                                       \
		results[n] += churn(skb->len + n, 300 + n);                     \
		return 0;                                                       \
	}

PROGRAM(0)
PROGRAM(1)
PROGRAM(2)
PROGRAM(3)
PROGRAM(4)
PROGRAM(5)
PROGRAM(6)
PROGRAM(7)
PROGRAM(8)
PROGRAM(9)
PROGRAM(10)
PROGRAM(11)
PROGRAM(12)
PROGRAM(13)
PROGRAM(14)
PROGRAM(15)
PROGRAM(16)
PROGRAM(17)
PROGRAM(18)
PROGRAM(19)
PROGRAM(20)
PROGRAM(21)
PROGRAM(22)
PROGRAM(23)
PROGRAM(24)
PROGRAM(25)
PROGRAM(26)
PROGRAM(27)
PROGRAM(28)
PROGRAM(29)
