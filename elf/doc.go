// Package elf reads 64-bit ELF files of either byte order from a byte slice, without copying: sections, symbols and REL
// relocations, as a loader of BPF objects needs them.
//
// [Parse] checks everything once: every offset, count, name and index. After that nothing can fail, so iterating over symbols
// and relocations gives no errors. What is not fit for its place is refused with an [Error] that says where it lies.
//
// The format is that of the System V gABI, chapters 4 and 5 (man 5 elf), with extended section numbering; relocation types of
// BPF are those of Documentation/bpf/llvm_reloc.rst.
//
// # Memory and time
//
// A [File] is one allocation for itself and one for all its sections: together less than twice the length of the file, plus
// 256 bytes. Names and section contents are views of the slice that Parse was given. Parsing takes time in proportion to the
// length of the file, whatever the file says, because:
//
//   - a section header takes 64 bytes of the file ([SectionHeaderSize]), so there are never more than the file has room for, and never
//     more than [MaxSections];
//   - sections do not overlap: their contents together are no longer than the file;
//   - a name is at most [MaxName] bytes long.
//
// Nothing bounds the size of a section without contents (SHT_NOBITS, such as .bss) or the value of a symbol: check
// [Section.Size] before making memory of it, and a symbol's value against its section.
//
// # When not to use it
//
// It reads no 32-bit files, program headers, dynamic symbols, notes or DWARF, unpacks no compressed sections, applies no
// relocations, and does no I/O. Where size and allocations do not matter, use debug/elf. Working with what is already pinned needs no ELF at all.
package elf
