// Exceptions: a program that throws one, and the function that catches it, which nothing calls but a tag names.
#include "common.h"

extern void bpf_throw(__u64 cookie) __ksym;

__u64 caught;

__attribute__((noinline)) int also_called(__u64 cookie)
{
	return cookie & 1;
}

int catch(__u64 cookie)
{
	caught = cookie;
	return 64 + also_called(cookie);
}

SEC("tc")
__attribute__((btf_decl_tag("exception_callback:catch")))
int throw_long(struct __sk_buff *skb)
{
	if (skb->len > 64)
		bpf_throw(skb->len);
	return 7;
}

/* Without a callback the cookie is what the program returns. */
SEC("tc")
int throw(struct __sk_buff *skb)
{
	bpf_throw(9);
	return 0;
}
