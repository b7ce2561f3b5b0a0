// A kernel version in the section `version`, which kprobe programs had to carry before Linux 5.0.
#include "common.h"

__u32 _version SEC("version") = 5 << 16 | 10 << 8 | 7; // KERNEL_VERSION(5, 10, 7)

SEC("socket")
int pass(struct __sk_buff *skb)
{
	return skb->len;
}
