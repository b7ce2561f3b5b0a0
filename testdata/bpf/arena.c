// An arena: global variables in it, and a list that the program makes in pages that it asks for.
#include "common.h"

#define __arena __attribute__((address_space(1)))
#define BPF_MAP_TYPE_ARENA 33 // newer than Debian's header

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16);
} arena SEC(".maps");

extern void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, __u32 pages, int node, __u64 flags) __ksym __weak;

struct node {
	struct node __arena *next;
	__u64 value;
};

__u64 __arena count = 40;
__u64 __arena filler[1000] = {1};
struct node __arena *__arena head;
__u64 seen;

SEC("syscall")
int push(void *ctx)
{
	struct node __arena *n = bpf_arena_alloc_pages(&arena, 0, 1, -1, 0);

	if (!n)
		return 1;
	n->value = ++count;
	n->next = head;
	head = n;
	seen = filler[0];
	return 0;
}
