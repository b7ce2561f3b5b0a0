// Calls of kernel functions: two of Linux 6.2, one of them declared with a flavor, and a weak one that no kernel has. Asking whether a function is there takes Linux 6.3.
#include "common.h"

struct task_struct {
	int pid;
}; // a declaration alone would not fit: as for libbpf

struct bpf_iter__task {
	void *meta;
	struct task_struct *task;
};

extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern void bpf_task_release___pinion(struct task_struct *p) __ksym __weak;
extern int pinion_has_no_such_function(int x) __ksym __weak;

__u64 runs, found, found_none, exists;

SEC("iter/task")
int call(struct bpf_iter__task *ctx)
{
	struct task_struct *task = bpf_task_from_pid(bpf_get_current_pid_tgid());

	runs++;
	if (bpf_task_release___pinion)
		exists++;
	if (task) {
		found++;
		bpf_task_release___pinion(task);
	}
	task = bpf_task_from_pid(0x7fffffff);
	if (task) {
		found_none++;
		bpf_task_release___pinion(task);
	}
	if (pinion_has_no_such_function)
		pinion_has_no_such_function(1);
	return 0;
}
