// Maps newer than Linux 6.0: user_ringbuf (6.1), cgrp_storage (6.2).
#include "common.h"

enum { CGRP_STORAGE = 32 }; // BPF_MAP_TYPE_CGRP_STORAGE, which <linux/bpf.h> has from 6.2 on

struct note {
	__u64 time;
	__u32 uses;
};

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 65536);
} user_ringbuf SEC(".maps");

struct {
	__uint(type, CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct note);
} cgrp_storage SEC(".maps");

SEC("socket")
int pass(struct __sk_buff *skb)
{
	return skb->len;
}
