// A device program of a cgroup: allows every access and counts them.
#include "common.h"

__u64 accesses;

SEC("cgroup/dev")
int count_accesses(struct bpf_cgroup_dev_ctx *ctx)
{
	__sync_fetch_and_add(&accesses, 1);
	return 1;
}
