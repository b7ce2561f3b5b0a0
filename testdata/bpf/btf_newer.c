// BTF that Linux 5.10 does not know, in variables and in a map: kernels before 6.0 are to be given it in older words.
#include "common.h"

#define tag(name) __attribute__((btf_decl_tag(name)))
#define typed(name) __attribute__((btf_type_tag(name)))

enum sign { MINUS = -1, PLUS = 1 };
enum wide { NEAR = 1, FAR = 1ULL << 40 };

struct reading {
	float degrees;              // 5.13: FLOAT
	enum sign sign;             // 6.0: ENUM with a sign
	enum wide distance;         // 6.0: ENUM64
	int typed("unused") *where; // 5.17: TYPE_TAG
	__u64 count tag("counted"); // 5.16: DECL_TAG
};

struct reading last tag("kept");
__u64 found;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct reading);
} readings SEC(".maps");

SEC("raw_tp/sys_enter")
int note(void *ctx)
{
	__u32 zero = 0;
	struct reading *r = bpf_map_lookup_elem(&readings, &zero);

	if (!r)
		return 0;
	last.sign = MINUS;
	last.distance = FAR;
	r->count++;
	r->distance = FAR;
	found = r->count << 48 | r->distance;
	return 0;
}
