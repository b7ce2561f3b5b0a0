// A call of functions that a module of the kernel has (nf_conntrack, Linux 5.18).
#include "common.h"

struct nf_conn {
	long unused;
};

struct bpf_ct_opts {
	int netns_id;
	int error;
	unsigned char l4proto, dir, reserved[2];
};

extern struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *ctx, struct bpf_sock_tuple *tuple, __u32 tuple_size,
					 struct bpf_ct_opts *opts, __u32 opts_size) __ksym;
extern void bpf_ct_release(struct nf_conn *connection) __ksym __weak;

__u64 runs, found, error, exists;

SEC("xdp")
int look_up(struct xdp_md *ctx)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_ct_opts opts = { .netns_id = -1, .l4proto = 17 };
	struct nf_conn *connection = bpf_xdp_ct_lookup(ctx, &tuple, sizeof(tuple.ipv4), &opts, 12);

	runs++;
	if (bpf_ct_release)
		exists = 1;
	error = -opts.error;
	if (connection) {
		found++;
		bpf_ct_release(connection);
	}
	return 2; // XDP_PASS
}
