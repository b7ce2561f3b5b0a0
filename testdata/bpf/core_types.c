// Types that the accesses of core_custom are fitted to, in the place of a kernel's.
#include "common.h"

struct pinion_item {
	__u64 head;
	struct {
		union {
			__u32 first;
			__u8 bytes[4];
		};
		__u16 second;
	};
	__u32 : 3, narrow : 5, wide : 24;
	__s32 below : 7, : 25;
	__u32 list[8];
	__u64 rest[];
};

enum pinion_color { PINION_RED = 11, PINION_BLUE = 0x80000002 };
enum pinion_depth { PINION_BELOW = -7 };
enum pinion_large { PINION_HUGE = 0x1234567890 };

// The compiler describes only what is used.
struct pinion_item pinion_item;
enum pinion_color color;
enum pinion_depth depth;
enum pinion_large large;
