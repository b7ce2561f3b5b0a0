// Package faults makes every system call of an operation fail, and kills the operation's process before and after each, one at a time, and
// judges what is left on bpffs and in the kernel.
//
// Faults come from outside: the operation runs in a child, which is the test binary started anew, under ptrace(2). A seccomp filter that the child
// puts on itself just before the operation makes the kernel stop it at the calls that matter and at no others, so tracing costs little. The tracer
// numbers the calls, and the one whose number it was told gets an errno instead of being made, or is the child's last.
//
// What is left is judged by [Look] and what follows from it. They share no code with package pinning: they walk the bpffs, ask the kernel about
// each pin, and read the text of the records themselves. An [Operation] says what to do and what may be there afterwards; a new one is one more
// entry in the table of the tests.
package faults
