// Calls of kernel functions: two of Linux 6.2, and a weak one that no kernel has.
#include "common.h"

struct task_struct;

struct bpf_iter__task {
	void *meta;
	struct task_struct *task;
};

extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;
extern int pinion_has_no_such_function(int x) __ksym __weak;

SEC("iter/task")
int call(struct bpf_iter__task *ctx)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	if (pinion_has_no_such_function)
		pinion_has_no_such_function(1);
	return 0;
}
