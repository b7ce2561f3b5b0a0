// Pointers to things of the kernel in a map's value, which the verifier finds by the tags in BTF: a task, held from one run of the program to the next.
#include "common.h"

#define __kptr __attribute__((btf_type_tag("kptr")))

struct task_struct {
	int pid;
} __attribute__((preserve_access_index));

struct held {
	struct task_struct __kptr *task;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct held);
} tasks SEC(".maps");

extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern void bpf_task_release(struct task_struct *p) __ksym;

__u64 pid, replaced, before;

SEC("syscall")
int hold(void *ctx)
{
	__u32 key = 0;
	struct held *h = bpf_map_lookup_elem(&tasks, &key);
	struct task_struct *task, *old;

	if (!h)
		return 1;
	task = bpf_task_from_pid(pid);
	if (!task)
		return 2;
	old = bpf_kptr_xchg(&h->task, task);
	if (old) {
		replaced++;
		before = old->pid;
		bpf_task_release(old);
	}
	return 0;
}
