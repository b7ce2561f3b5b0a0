// Iterators over all maps and all tasks. The contexts are declared here, with only what is used, so that no CO-RE relocation is needed.
#include "common.h"

struct seq_file;
struct bpf_map;
struct task_struct;

struct bpf_iter_meta {
	__bpf_md_ptr(struct seq_file *, seq);
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__bpf_map {
	__bpf_md_ptr(struct bpf_iter_meta *, meta);
	__bpf_md_ptr(struct bpf_map *, map);
};

struct bpf_iter__task {
	__bpf_md_ptr(struct bpf_iter_meta *, meta);
	__bpf_md_ptr(struct task_struct *, task);
};

SEC("iter/bpf_map")
int list_maps(struct bpf_iter__bpf_map *ctx)
{
	static const char line[] = "map\n";

	if (ctx->map)
		bpf_seq_write(ctx->meta->seq, line, sizeof(line) - 1);
	return 0;
}

SEC("iter/task")
int list_tasks(struct bpf_iter__task *ctx)
{
	static const char line[] = "task\n";

	if (ctx->task)
		bpf_seq_write(ctx->meta->seq, line, sizeof(line) - 1);
	return 0;
}
