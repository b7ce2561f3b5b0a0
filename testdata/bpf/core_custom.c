// CO-RE accesses to types that only core_types has.
#include "common.h"
#include <bpf/bpf_core_read.h>

struct pinion_item {
	__u32 second, first;
	__u32 narrow : 2, wide : 3;
	__s32 below : 3;
	__u32 list[2];
	__u64 rest[];
} __attribute__((preserve_access_index));

enum pinion_color { PINION_RED = 1, PINION_BLUE = 0x80000001 };
enum pinion_depth { PINION_BELOW = -1 };
enum pinion_large { PINION_HUGE = 2 };

__u64 first, second, second_size, list1, rest, red, blue, below, huge, item_size;
struct { __u64 offset, size, is_signed, left, right; } narrow, wide, under;

#define DESCRIBE(to, field) \
	to.offset = __builtin_preserve_field_info(item->field, BPF_FIELD_BYTE_OFFSET); \
	to.size = __builtin_preserve_field_info(item->field, BPF_FIELD_BYTE_SIZE); \
	to.is_signed = __builtin_preserve_field_info(item->field, BPF_FIELD_SIGNED); \
	to.left = __builtin_preserve_field_info(item->field, BPF_FIELD_LSHIFT_U64); \
	to.right = __builtin_preserve_field_info(item->field, BPF_FIELD_RSHIFT_U64)

SEC("raw_tp/sys_enter")
int ask(struct pinion_item *item)
{
	first = __builtin_preserve_field_info(item->first, BPF_FIELD_BYTE_OFFSET);
	second = __builtin_preserve_field_info(item->second, BPF_FIELD_BYTE_OFFSET);
	second_size = __builtin_preserve_field_info(item->second, BPF_FIELD_BYTE_SIZE);
	list1 = __builtin_preserve_field_info(item->list[1], BPF_FIELD_BYTE_OFFSET);
	rest = __builtin_preserve_field_info(item->rest[3], BPF_FIELD_BYTE_OFFSET);
	DESCRIBE(narrow, narrow);
	DESCRIBE(wide, wide);
	DESCRIBE(under, below);
	red = bpf_core_enum_value(enum pinion_color, PINION_RED);
	blue = bpf_core_enum_value(enum pinion_color, PINION_BLUE);
	below = bpf_core_enum_value(enum pinion_depth, PINION_BELOW);
	huge = bpf_core_enum_value(enum pinion_large, PINION_HUGE);
	item_size = bpf_core_type_size(struct pinion_item);
	return 0;
}
