// What every source here includes. It holds no code, so it adds nothing to an object but the license.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "Dual BSD/GPL";
