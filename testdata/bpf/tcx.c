// Traffic control: links of Linux 6.6 (tcx), and a classifier as older kernels have it.
#include "common.h"

enum { NEXT = -1, OK = 0 }; // TCX_NEXT, TC_ACT_OK

__u64 received, sent, classified;

SEC("tcx/ingress")
int count_received(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&received, 1);
	return NEXT;
}

SEC("tcx/egress")
int count_sent(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&sent, 1);
	return NEXT;
}

SEC("tc")
int classify(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&classified, 1);
	return OK;
}
