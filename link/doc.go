// Package link attaches programs to the kernel's hooks and looks after the links that come of it.
//
// Every kind of attachment is a structure that says where, and has the method Attach, so that it is an [Attacher]. Nothing lists
// the kinds: a binary holds those that it uses.
//
//	l, err := link.Cgroup{Dir: dir, AttachType: sys.AttachTypeCgroupInetEgress}.Attach(program)
//
// A [Link] keeps its program attached while anything holds it: this process's descriptor, or a pin on bpffs. A second link to the same hook
// does not replace the first: most hooks then run the program twice. Take up a pinned link with [FromFD] instead, and give it another
// program with [Link.Update].
//
// A link can outlive what it is attached to: when a cgroup, an interface or a network namespace goes, its links stay but run nothing.
// [Link.Info] tells.
//
// Errors are of type [sys.Error] and wrap the errno.
package link
