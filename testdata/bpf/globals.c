// Global data in every kind of section: .data, .rodata and .bss, and named ones; static and global; integers, arrays and structures.
#include "common.h"

struct point {
	__s32 x, y;
};

int answer = 42;
__u16 ports[4] = { 22, 80, 443, 8080 };
struct point corner = { .x = -3, .y = 7 };
static __u64 hidden = 0x1122334455667788ULL;

SEC(".data.custom") __u32 limit = 1000;
SEC(".data.custom") char label[8] = "custom";

const volatile __u8 level = 3;
const volatile struct point origin = { .x = 1, .y = 2 };
static volatile const __u64 secret = 99;

SEC(".rodata.cfg") const volatile __u32 timeout = 30;
SEC(".rodata.cfg") const volatile char device[16] = "eth0";

__u64 runs;
struct point path[3];
static __u32 counts[8];

SEC(".bss.custom") __u64 drops;
SEC(".bss.custom") __u8 flags[3];

SEC("socket")
int touch(struct __sk_buff *skb)
{
	__u32 i = skb->len & 3;

	__sync_fetch_and_add(&runs, 1);
	hidden ^= secret + level + origin.x + device[i];
	answer += ports[i];
	counts[i + 4] += timeout;
	corner.x += origin.y;
	path[1].y = corner.y - corner.x;
	if (skb->len > limit)
		drops += label[i];
	flags[2]++;
	return hidden + counts[i];
}
