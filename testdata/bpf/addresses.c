// Variables that are to hold addresses, beside others in the same sections. No loader can fill them in; programs that use the others are as good as any.
#include "common.h"

struct entry {
	const char *name;
	__u64 limit;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

__u64 total;
__u32 step = 7;
static __u64 own = 5;
__u64 *where = &own;
void *of_map = &numbers;
__u32 which = 1;

const volatile __u32 before = 3;
const struct entry entries[2] = { { "first", 10 }, { "second", 20 } };
const __u32 numbered[4] = { 1, 2, 3, 4 };

static __noinline __u64 subprogram(__u64 n)
{
	total += n;
	return n + total;
}

__u64 (*of_function)(__u64) SEC(".data.functions") = subprogram;

SEC("socket")
int without(struct __sk_buff *skb)
{
	own++;
	total += step + before + numbered[which & 3] + own;
	return 0;
}

SEC("?socket")
int pointer(struct __sk_buff *skb)
{
	total += (__u64)where;
	return 0;
}

SEC("?socket")
int map_address(struct __sk_buff *skb)
{
	total += (__u64)of_map;
	return 0;
}

SEC("?socket")
int function_address(struct __sk_buff *skb)
{
	total += (__u64)of_function;
	return 0;
}

static __noinline __u64 limit(__u32 i)
{
	return entries[i & 1].limit;
}

SEC("?socket")
int table(struct __sk_buff *skb)
{
	total += limit(which);
	return 0;
}
