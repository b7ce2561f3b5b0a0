// Every kind of CO-RE relocation, answered by the kernel that runs.
#include "common.h"
#include <bpf/bpf_core_read.h>

#define RELOCATED __attribute__((preserve_access_index))

// In another order than the kernel's, and with members that only some kernels have.
struct task_struct {
	int tgid, pid;
	unsigned int flags;
	struct task_struct *real_parent;
	char comm[16];
	unsigned int sched_reset_on_fork : 1;
	long pinion_has_no_such_field;
} RELOCATED;
struct task_struct___before_5_14 { long state; } RELOCATED;
struct task_struct___since_5_14 { unsigned int __state; } RELOCATED;

struct pinion_has_no_such_type { int x; } RELOCATED;
struct list_head { struct list_head *next, *prev; };
struct list_head___mistaken { int next; };
typedef struct { int x; } kernel_cap_t___any;
enum bpf_map_type___local { BPF_MAP_TYPE_RINGBUF___local = 1000, BPF_MAP_TYPE_PINION___local = 1001 };

struct __sk_buff___other { __u32 cb[5], len; } RELOCATED;
struct __sk_buff___wide { __u64 mark, len; } RELOCATED; // they have 4 bytes in all kernels

__u64 tgid, pid, parent, reset_on_fork;
char comm[16], third;
__u64 comm_offset, comm_size, third_offset, flags_signed, tgid_signed;
__u64 has_comm, has_none, has_state, has_new_state, unreached;
__u64 local_id, kernel_id, no_id, has_type, has_typedef, no_type, type_size, no_size, matches, mismatches;
__u64 ring_value, has_ring, has_pinion_map;
__u64 length, wide_length, mark, stored;

SEC("raw_tp/sys_enter")
int read_task(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	tgid = BPF_CORE_READ(task, tgid);
	pid = BPF_CORE_READ(task, pid);
	parent = BPF_CORE_READ(task, real_parent, tgid);
	reset_on_fork = BPF_CORE_READ_BITFIELD_PROBED(task, sched_reset_on_fork);
	BPF_CORE_READ_STR_INTO(&comm, task, comm);
	bpf_core_read(&third, sizeof(third), &task->comm[2]);
	comm_offset = __builtin_preserve_field_info(task->comm, BPF_FIELD_BYTE_OFFSET);
	third_offset = __builtin_preserve_field_info(task->comm[2], BPF_FIELD_BYTE_OFFSET);
	comm_size = bpf_core_field_size(task->comm);
	flags_signed = __builtin_preserve_field_info(task->flags, BPF_FIELD_SIGNED);
	tgid_signed = __builtin_preserve_field_info(task->tgid, BPF_FIELD_SIGNED);
	has_comm = bpf_core_field_exists(task->comm);
	has_none = bpf_core_field_exists(task->pinion_has_no_such_field);
	has_state = bpf_core_field_exists(((struct task_struct___before_5_14 *)task)->state);
	has_new_state = bpf_core_field_exists(((struct task_struct___since_5_14 *)task)->__state);
	if (has_none)
		unreached = BPF_CORE_READ(task, pinion_has_no_such_field);
	return 0;
}

SEC("raw_tp/sys_enter")
int read_types(void *ctx)
{
	local_id = bpf_core_type_id_local(struct task_struct);
	kernel_id = bpf_core_type_id_kernel(struct task_struct);
	no_id = bpf_core_type_id_kernel(struct pinion_has_no_such_type);
	has_type = bpf_core_type_exists(struct task_struct);
	has_typedef = bpf_core_type_exists(kernel_cap_t___any);
	no_type = bpf_core_type_exists(struct pinion_has_no_such_type);
	type_size = bpf_core_type_size(struct task_struct);
	no_size = bpf_core_type_size(struct pinion_has_no_such_type);
	matches = bpf_core_type_matches(struct list_head);
	mismatches = bpf_core_type_matches(struct list_head___mistaken);
	ring_value = bpf_core_enum_value(enum bpf_map_type___local, BPF_MAP_TYPE_RINGBUF___local);
	has_ring = bpf_core_enum_value_exists(enum bpf_map_type___local, BPF_MAP_TYPE_RINGBUF___local);
	has_pinion_map = bpf_core_enum_value_exists(enum bpf_map_type___local, BPF_MAP_TYPE_PINION___local);
	return 0;
}

// A subprogram with relocations of its own.
static __noinline __u64 read_mark(struct __sk_buff *skb) { return ((struct __sk_buff___wide *)skb)->mark; }

SEC("socket")
int read_packet(struct __sk_buff *skb)
{
	struct __sk_buff___other *other = (void *)skb;

	length = other->len;
	wide_length = ((struct __sk_buff___wide *)skb)->len;
	mark = read_mark(skb);
	other->cb[3] = length + 1;
	stored = skb->cb[3];
	return 0;
}
