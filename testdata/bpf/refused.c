// Programs that verifiers refuse, each for another of the common causes; they are loaded one at a time, some only by kernels that are too old for them.
#include "common.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} values SEC(".maps");

__u64 x;

/* GPL-only helper: refused once the license is made another. */
SEC("?socket")
int gpl_only(struct __sk_buff *skb)
{
	bpf_trace_printk("", 1);
	return 0;
}

/* A helper that socket filters may not call. */
SEC("?socket")
int of_other_types(struct __sk_buff *skb)
{
	return bpf_redirect(1, 0);
}

/* A helper of Linux 6.1. */
SEC("?socket")
int new_helper(struct __sk_buff *skb)
{
	return bpf_ktime_get_tai_ns() != 0;
}

/* A helper that no kernel has. */
SEC("?socket")
int no_helper(struct __sk_buff *skb)
{
	int (*helper)(void) = (void *)0x7fff;

	return helper();
}

/* An atomic operation that gives a value: Linux 5.12. */
SEC("?socket")
int atomic_fetch(struct __sk_buff *skb)
{
	return __sync_fetch_and_add(&x, 1) + 1 != 0;
}

static long again(__u32 index, void *ctx)
{
	x++;
	return 0;
}

/* A function's address: Linux 5.13. The helper that takes it is of 5.17. */
SEC("?socket")
int callback(struct __sk_buff *skb)
{
	return bpf_loop(2, again, 0, 0);
}

/* A load with sign, as -mcpu=v4 has them: Linux 6.6. */
SEC("?socket")
int sign_extending(struct __sk_buff *skb)
{
	int value = skb->len;

	asm volatile(".byte 0x81, 0xa0, 0xfc, 0xff, 0, 0, 0, 0" : "=r"(value) : "m"(value) : "r0");
	return 0;
}

/* What the verifier cannot see the end of. */
SEC("?socket")
int endless(struct __sk_buff *skb)
{
	while (1)
		x++;
	return 0;
}

/* More than the 512 bytes of the stack, in two functions. */
static __attribute__((noinline)) int deep(struct __sk_buff *skb)
{
	char buffer[300];

	bpf_skb_load_bytes(skb, 0, buffer, sizeof(buffer));
	return buffer[skb->len & 255];
}

SEC("?socket")
int stack(struct __sk_buff *skb)
{
	char buffer[300];

	bpf_skb_load_bytes(skb, 0, buffer, sizeof(buffer));
	return deep(skb) + buffer[skb->len & 255];
}

/* A value that may not be there. */
SEC("?socket")
int unchecked(struct __sk_buff *skb)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&values, &key);

	return *value;
}

/* A packet that may be shorter. */
SEC("?xdp")
int packet(struct xdp_md *ctx)
{
	return *(__u8 *)(long)ctx->data;
}
