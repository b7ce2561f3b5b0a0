// One map of every type of Linux 5.10 that a definition in .maps can describe, with every field that such a definition may have.
#include "common.h"

struct event_key {
	__u32 pid;
	__u16 port;
	__u8 address[2];
};

struct event {
	__u64 count;
	struct {
		__u32 low, high;
	} range;
	char comm[16];
};

struct prefix {
	__u32 length;
	__u8 address[4];
};

#define MAP(kind, name, entries, keys, values)          \
	struct {                                        \
		__uint(type, BPF_MAP_TYPE_##kind);      \
		__uint(max_entries, entries);           \
		__type(key, keys);                      \
		__type(value, values);                  \
	} name SEC(".maps")

MAP(HASH, hash, 128, struct event_key, struct event);
MAP(PERCPU_HASH, percpu_hash, 16, __u32, __u64);
MAP(LRU_HASH, lru_hash, 1024, struct event_key, __u64);
MAP(LRU_PERCPU_HASH, lru_percpu_hash, 1024, __u32, struct event);
MAP(ARRAY, array, 4, __u32, struct event);
MAP(PERCPU_ARRAY, percpu_array, 2, __u32, __u64);
MAP(DEVMAP, devmap, 8, __u32, __u32);
MAP(DEVMAP_HASH, devmap_hash, 8, __u32, struct bpf_devmap_val);
MAP(CPUMAP, cpumap, 1, __u32, __u32);
MAP(XSKMAP, xskmap, 4, __u32, __u32);
MAP(SOCKMAP, sockmap, 4, __u32, __u64);
MAP(SOCKHASH, sockhash, 4, struct event_key, __u64);
MAP(REUSEPORT_SOCKARRAY, reuseport_sockarray, 4, __u32, __u64);

// Sizes instead of types: the kernel takes no BTF for these.
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__uint(value_size, 4);
} prog_array SEC(".maps");

// No max_entries: the loader puts in the number of CPUs.
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} perf_event_array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16);
	__uint(key_size, 4);
	__uint(value_size, 16 * 8);
} stack_trace SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 4);
} cgroup_array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 64);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u32);
} lpm_trie SEC(".maps");

// No keys.
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 8);
	__type(value, __u32);
} queue SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 8);
	__uint(value_size, 12);
} stack SEC(".maps");

// No max_entries, and BTF for key and value is a must.
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct event);
} sk_storage SEC(".maps");

// Neither keys nor values.
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} ringbuf SEC(".maps");

// No power of two: the loader rounds up to the next one that is a multiple of the page size.
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 70000);
} ringbuf_odd SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__uint(map_flags, BPF_F_NUMA_NODE | BPF_F_NO_PREALLOC);
	__uint(numa_node, 0);
	__type(key, __u64);
	__type(value, __u64);
} on_node SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 4096);
} mmapable SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__uint(key_size, 3);
	__uint(value_size, 5);
} sized SEC(".maps");

SEC("socket")
int pass(struct __sk_buff *skb)
{
	return skb->len;
}
