// A jump table, as clang 22 and later make of a switch, here written by hand: which instruction comes next is looked up in .jumptables.
#include "common.h"

SEC("socket")
__attribute__((naked)) int choose(void)
{
	asm volatile(
		".pushsection .jumptables,\"\",@progbits;"
		"table: .quad first - socket;"
		".quad second - socket;"
		".quad third - socket;"
		".size table, 24;"
		".global table;"
		".popsection;"
		"r2 = *(u32 *)(r1 + 0);" // the packet's length: 14, 15 or 16
		"r2 -= 64;"
		"if r2 > 2 goto out%=;"
		"r2 <<= 3;"
		"r0 = table ll;"
		"r0 += r2;"
		"r0 = *(u64 *)(r0 + 0);"
		".byte 0x0d, 0x00, 0, 0, 0, 0, 0, 0;" // gotox r0
		"first: r0 = 10; exit;"
		"second: r0 = 20; exit;"
		"third: r0 = 30; exit;"
		"out%=: r0 = 0; exit;" ::: "memory");
}
