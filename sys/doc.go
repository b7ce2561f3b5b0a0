// Package sys makes bpf(2) calls: one attribute structure and one function for each command, owning file descriptors, and the
// few bpffs primitives that pinning needs.
//
// It is the only package of Pinion that makes the system call, and it decides nothing: a function hands its structure to the
// kernel and gives back the kernel's answer, a bare [golang.org/x/sys/unix.Errno], so that a call costs no allocation. The
// packages above say which map or program it was about, in an [Error].
//
// Every structure is as large as the whole union bpf_attr of Linux 7.0, [AttrSize] bytes, whatever its command needs. A kernel accepts
// a longer union than its own as long as the rest is zero, and some write results past a short one (BPF_PROG_QUERY on 6.18).
// The layouts hold on 32-bit machines too. Field names are the kernel's in Go's spelling; include/uapi/linux/bpf.h is the
// reference for what each means, and layout_test.go proves every offset against the running kernel.
//
// The minimum kernel of a command or field is 5.10 unless its comment says otherwise. An older kernel answers EINVAL to a
// command, E2BIG or EINVAL to a field, that it does not know.
package sys
