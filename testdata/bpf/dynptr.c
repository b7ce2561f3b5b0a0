// Dynptrs: a record of a ring buffer whose size is known only when the program runs.
#include "common.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} records SEC(".maps");

__u64 written, size;

SEC("raw_tp/sys_enter")
int write(void *ctx)
{
	struct bpf_dynptr record;
	__u64 first = 42;

	if (!bpf_ringbuf_reserve_dynptr(&records, size & 1023, 0, &record) &&
	    !bpf_dynptr_write(&record, 0, &first, sizeof(first), 0)) {
		written++;
		bpf_ringbuf_submit_dynptr(&record, 0);
	} else {
		bpf_ringbuf_discard_dynptr(&record, 0);
	}
	return 0;
}
