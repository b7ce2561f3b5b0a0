// Package btf reads BTF, the type format of BPF objects and of the kernel, as it lies in memory.
//
// [Parse] checks a blob once, from end to end, and keeps it: a [Type] is a view of the blob's own bytes, and a name is a view
// of its string section. Apart from the blob, a [Data] holds one 32-bit offset a type, so the kernel's 130 000 types cost half a
// megabyte and no Go value each. Both byte orders are read on any machine. What is not fit for its place (an id that no type
// has, a string outside the section, a type cut short) is refused by Parse with an [Error] that says where; accessors need no
// error results, and answer a question that does not fit a type's kind with a zero.
//
// [ParseExt] does the same for .BTF.ext: function, line and CO-RE relocation records, section by section.
//
// The formats are those of include/uapi/linux/btf.h and Documentation/bpf/btf.rst. The info word is read with the masks of the
// newest kernels (24 bits of vlen, 7 of kind); older BTF has zeros in the added bits, so one reading serves both.
//
// # When not to use it
//
// Opening a pinned map and reading a key needs no BTF: keep this package out of such programs. It does no I/O, and writes no
// BTF but copies with a few edits ([Data.Copy], [Data.Without]).
package btf
