// Declaration tags and type tags wherever clang takes them: functions, their arguments, types, fields, variables of every section, maps. Linux 5.16 and 5.17 know them.
#include "common.h"

#define tag(name) __attribute__((btf_decl_tag(name)))
#define typed(name) __attribute__((btf_type_tag(name)))

typedef __u32 tag("typedef") tagged_int;

struct tag("struct") tag("twice") pair {
	tagged_int a tag("field");
	union tag("union") {
		__u32 b tag("field of a union") tag("again");
		char c[4];
	};
	__u32 typed("of a pointer") *p;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct pair);
} pairs SEC(".maps") tag("map");

__u64 total tag("bss") tag("counter");
__u32 step tag("data") = 3;
static __u64 own tag("static");
const volatile __u32 limit tag("rodata") = 100;
__u32 extra SEC(".data.extra") tag("section of its own") = 4;

tag("static function") static __noinline __u64 add(struct pair *p tag("first argument"), __u64 n tag("second argument"))
{
	p->a += n;
	own += p->a;
	return own;
}

tag("global function") __noinline int scale(int n tag("argument"))
{
	return n * step;
}

tag("weak") __weak __noinline int cut(int n tag("argument of a weak one"))
{
	return n > limit ? limit : n;
}

SEC("socket")
tag("program")
int count(struct __sk_buff *skb tag("context"))
{
	__u32 key = 1;
	struct pair *p = bpf_map_lookup_elem(&pairs, &key);

	if (p)
		total += add(p, cut(scale(11)) + extra);
	return 0;
}
