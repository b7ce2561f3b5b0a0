// CO-RE accesses that no kernel has: dead code in one program, not so in the others.
#include "common.h"
#include <bpf/bpf_core_read.h>

struct task_struct {
	int tgid;
	long pinion_has_no_such_field;
} __attribute__((preserve_access_index));

struct __sk_buff___signed {
	long len;
} __attribute__((preserve_access_index));

enum pinion_has_no_such_enum {
	PINION_HAS_NO_SUCH_VALUE = 5,
};

long value;

SEC("raw_tp/sys_enter")
int guarded(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (bpf_core_field_exists(task->pinion_has_no_such_field))
		value = BPF_CORE_READ(task, pinion_has_no_such_field);
	return 0;
}

static __noinline int read_field(struct task_struct *task)
{
	return BPF_CORE_READ(task, pinion_has_no_such_field);
}

SEC("?raw_tp/sys_enter")
int unguarded(void *ctx)
{
	value = read_field((void *)bpf_get_current_task());
	return 0;
}

SEC("?raw_tp/sys_enter")
int no_enum(void *ctx)
{
	value = bpf_core_enum_value(enum pinion_has_no_such_enum, PINION_HAS_NO_SUCH_VALUE);
	return 0;
}

SEC("?socket")
int resized(struct __sk_buff *skb)
{
	value = ((struct __sk_buff___signed *)skb)->len;
	return 0;
}
