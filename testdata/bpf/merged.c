// Strings and constants that compilers put into sections to be merged (.rodata.str1.1, .rodata.str4.4, .rodata.cst16, ...), and refer to by section and offset.
#include "common.h"

__u32 which = 3;
__u64 letter, other_letter, wide, eight, sixteen, thirty_two, named;

static const __u32 wide_text[] = { 10, 20, 30, 40, 50, 0 };
static const __u32 other_wide[] = { 11, 21, 31, 41, 51, 61, 0 };
static const __u16 of_eight[4] = { 1000, 2000, 3000, 4000 };
static const __u16 of_eight_too[4] = { 1001, 2002, 3003, 4004 };
static const __u32 of_sixteen[4] = { 100000, 200000, 300000, 400000 };
static const __u32 of_sixteen_too[4] = { 110000, 220000, 330000, 440000 };
static const __u64 of_thirty_two[4] = { 1ULL << 40, 1ULL << 41, 1ULL << 42, 1ULL << 43 };
static const __u64 of_thirty_two_too[4] = { 3ULL << 40, 3ULL << 41, 3ULL << 42, 3ULL << 43 };
const __u32 by_name[4] = { 7, 8, 9, 10 };

SEC("socket")
int read_merged(struct __sk_buff *skb)
{
	__u32 i = which & 3;
	const char *text = skb->len > 1000 ? "a first string" : "the second string";

	letter = "some letters"[i];
	other_letter = text[i + 4];
	wide = wide_text[i] + 1000 * other_wide[i + 1];
	eight = of_eight[i] + 10000 * of_eight_too[i];
	sixteen = of_sixteen[i] + 1000000ULL * of_sixteen_too[i];
	thirty_two = of_thirty_two[i] + of_thirty_two_too[i ^ 1];
	named = by_name[i];
	return 0;
}
