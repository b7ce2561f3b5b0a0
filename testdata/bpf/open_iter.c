// An open-coded iterator: numbers, one after the other.
#include "common.h"

struct bpf_iter_num {
	__u64 opaque[1];
} __attribute__((aligned(8)));

extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;

__u64 limit, sum;

SEC("raw_tp/sys_enter")
int add(void *ctx)
{
	struct bpf_iter_num it;
	int *n;

	bpf_iter_num_new(&it, 0, limit);
	while ((n = bpf_iter_num_next(&it)))
		sum += *n;
	bpf_iter_num_destroy(&it);
	return 0;
}
