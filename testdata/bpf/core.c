// CO-RE relocations of each class: fields, types and values of enumerations, some of which no kernel has.
#include "common.h"
#include <bpf/bpf_core_read.h>

struct task_struct {
	int pid;
	int tgid;
	struct task_struct *real_parent;
	char comm[16];
	int pinion_has_no_such_field;
} __attribute__((preserve_access_index));

struct pinion_has_no_such_type {
	int x;
} __attribute__((preserve_access_index));

enum bpf_prog_type___local {
	BPF_PROG_TYPE_XDP___local = 1000,
};

int tgid, parent, comm_size, has_field, has_type, has_task, xdp;

SEC("raw_tp/sys_enter")
int read_task(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	tgid = BPF_CORE_READ(task, tgid);
	parent = BPF_CORE_READ(task, real_parent, tgid);
	comm_size = bpf_core_field_size(task->comm);
	has_field = bpf_core_field_exists(task->pinion_has_no_such_field);
	has_type = bpf_core_type_exists(struct pinion_has_no_such_type);
	has_task = bpf_core_type_exists(struct task_struct);
	xdp = bpf_core_enum_value(enum bpf_prog_type___local, BPF_PROG_TYPE_XDP___local);
	return 0;
}
