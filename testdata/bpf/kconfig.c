// Externs that the kernel's configuration answers: its version, and options as a number, a choice and a weak one that no kernel has.
#include "common.h"

extern int LINUX_KERNEL_VERSION __kconfig;
extern int CONFIG_HZ __kconfig __weak;
extern enum libbpf_tristate CONFIG_BPF_SYSCALL __kconfig __weak;
extern _Bool CONFIG_PINION_HAS_NO_SUCH_OPTION __kconfig __weak;

int version, hz, syscall_option, missing_option;

SEC("socket")
int read_configuration(struct __sk_buff *skb)
{
	version = LINUX_KERNEL_VERSION;
	hz = CONFIG_HZ;
	syscall_option = CONFIG_BPF_SYSCALL;
	missing_option = CONFIG_PINION_HAS_NO_SUCH_OPTION;
	return 0;
}
