// Package object is a BPF object: as its ELF file describes it, a [Spec], and as it lives in the kernel.
//
// [Open] and [Parse] read a file and ask the kernel nothing, so a Spec is the same on every machine: same bytes, same Spec.
// Maps, variables and programs may then be changed, and the Spec be loaded, any number of times.
//
// What an ELF file may hold is what libbpf 1.7 reads (Documentation/bpf/libbpf/program_types.rst has the section names), and
// besides the map definitions of the section "maps", from before BTF, which it no longer takes. What this package knows but
// cannot load (struct_ops) does not stop a file from being read: see
// [Spec.Unsupported].
//
// What an object asks about the kernel's own types (CO-RE), or wants of the kernel's functions, variables and symbols (externs of .ksyms), is answered when it is
// loaded, from the [KernelTypes] in its [LoadOptions]; externs of .kconfig from the [Kconfig] there.
//
// # When not to use it
//
// To read and write a map that is pinned, no ELF file and no Spec is needed.
package object
