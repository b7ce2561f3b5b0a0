// Externs from the kernel's configuration of every kind, and those that libbpf invented.
#include "common.h"

extern _Bool CONFIG_BOOL __kconfig;
extern enum libbpf_tristate CONFIG_MODULE __kconfig;
extern char CONFIG_CHOICE __kconfig;
extern signed char CONFIG_SMALL __kconfig;
extern short CONFIG_NEGATIVE __kconfig;
extern unsigned short CONFIG_OCTAL __kconfig;
extern unsigned int CONFIG_HEX __kconfig;
extern long long CONFIG_LONG __kconfig;
extern unsigned long long CONFIG_LARGE __kconfig;
extern const char CONFIG_TEXT[8] __kconfig;
extern int CONFIG_NOT_SET __kconfig __weak;
extern _Bool LINUX_HAS_BPF_COOKIE __kconfig;
extern unsigned int LINUX_HAS_SYSCALL_WRAPPER __kconfig;
extern int LINUX_HAS_NO_SUCH_THING __kconfig __weak;

__u64 is_bool, module, choice, small, negative, octal, hex, long_long, large, text, not_set = 1, cookie, wrapper, nothing = 1;

SEC("socket")
int read_all(struct __sk_buff *skb)
{
	is_bool = CONFIG_BOOL;
	module = CONFIG_MODULE;
	choice = CONFIG_CHOICE;
	small = CONFIG_SMALL;
	negative = CONFIG_NEGATIVE;
	octal = CONFIG_OCTAL;
	hex = CONFIG_HEX;
	long_long = CONFIG_LONG;
	large = CONFIG_LARGE;
	text = 0;
	for (int i = 0; i < 8; i++)
		text = text << 8 | (unsigned char)CONFIG_TEXT[i];
	not_set = CONFIG_NOT_SET;
	cookie = LINUX_HAS_BPF_COOKIE;
	wrapper = LINUX_HAS_SYSCALL_WRAPPER;
	nothing = LINUX_HAS_NO_SUCH_THING;
	return 0;
}
