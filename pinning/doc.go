// Package pinning gives every map, program and link of an eBPF object a name on bpffs of its own, and keeps the whole object there.
//
// # Layout
//
// One object, or one instance of it, is one tree: a directory below a root.
//
//	<root>/<object>[@<instance>]/maps/<map>
//	<root>/<object>[@<instance>]/programs/<program>
//	<root>/<object>[@<instance>]/links/<program>[@<target>]
//	<root>/<object>[@<instance>]/%record
//
// Names are full names, as in the ELF, written by [Escape]: bpffs refuses any name with a dot (bpf_lookup in kernel/bpf/inode.c), so
// the map .rodata.cfg is pinned as %2Erodata%2Ecfg. C identifiers stay as they are. An unescaped '@' only ever stands between an object and
// its instance, or a program and its link's target. Names that begin with '%' and a letter that is no hex digit are Pinion's own, see
// [IsReserved]; no escaped name is one of them.
//
// A path is a function of root, object, instance, kind and name, and of nothing else. [Plan] computes all paths of an object and lets any of
// them be overridden. It touches nothing; what it refuses, it refuses before anything is pinned: two claims on one path, or one path
// inside another, are a [ConflictError].
//
// # Record
//
// A [Record] says what a tree holds: the object, the digests of what it was loaded from, and each pin with its kernel id. It is kept as the
// target of the symbolic link %record, and of %record1, %record2 and so on where one target is too short, because a target can be read with
// readlink, without opening anything. [EncodeRecord] writes that text, [DecodeRecord] reads it and trusts none of it.
//
// All of that is pure: it does no I/O and works on any system.
//
// # Root
//
// A [Root] does it, on Linux 5.10 and later: [Root.Pin], [Root.Open], [Root.Ensure], [Root.Unpin]. A tree is built in a staging directory
// beside its final place and put there by one rename, so that others see all of it or nothing; flock(2) on the staging
// directory is the lock of all that change the same tree, and tells a dead process's staging from a living one's.
package pinning
