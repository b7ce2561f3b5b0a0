// A program and a map whose names differ only in '.' and '_'. The object's own name has the same form as one of dots.
#include "common.h"

SEC(".data.foo") __u32 dotted = 1;

SEC("socket")
int _data_foo(struct __sk_buff *skb)
{
	dotted++;
	return 0;
}
