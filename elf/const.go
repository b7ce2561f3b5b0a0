package elf

// File types ([File.Type]; gABI e_type).
const (
	ET_NONE = 0 // none
	ET_REL  = 1 // relocatable: what a compiler writes, and every BPF object
	ET_EXEC = 2 // executable
	ET_DYN  = 3 // shared object or position-independent executable
	ET_CORE = 4 // core dump
)

// Machines ([File.Machine]; gABI e_machine). Only those that a BPF loader tells apart.
const (
	EM_NONE = 0   // none: old LLVM wrote it into BPF objects
	EM_BPF  = 247 // Linux BPF
)

// Section types ([Section.Type]; gABI sh_type).
const (
	SHT_NULL          = 0          // no section; the first header always
	SHT_PROGBITS      = 1          // the program's own: code, data, BTF
	SHT_SYMTAB        = 2          // the symbol table
	SHT_STRTAB        = 3          // names
	SHT_RELA          = 4          // relocations with addends; not of BPF
	SHT_HASH          = 5          // hash table of dynamic symbols
	SHT_DYNAMIC       = 6          // for dynamic linking
	SHT_NOTE          = 7          // notes
	SHT_NOBITS        = 8          // zeroed memory, without bytes in the file: .bss
	SHT_REL           = 9          // relocations without addends
	SHT_DYNSYM        = 11         // symbols for dynamic linking
	SHT_INIT_ARRAY    = 14         // pointers to constructors
	SHT_FINI_ARRAY    = 15         // pointers to destructors
	SHT_PREINIT_ARRAY = 16         // pointers to early constructors
	SHT_GROUP         = 17         // sections that go together
	SHT_SYMTAB_SHNDX  = 18         // section indices of symbols that need more than 16 bits
	SHT_LLVM_ADDRSIG  = 0x6fff4c03 // symbols whose address matters (LLVM); loaders pass over it
)

// Section flags ([Section.Flags]; gABI sh_flags).
const (
	SHF_WRITE      = 0x1   // writable
	SHF_ALLOC      = 0x2   // takes memory when loaded
	SHF_EXECINSTR  = 0x4   // holds instructions
	SHF_MERGE      = 0x10  // equal entries may be merged
	SHF_STRINGS    = 0x20  // its entries are strings
	SHF_INFO_LINK  = 0x40  // Info is a section index
	SHF_LINK_ORDER = 0x80  // to be ordered as the section in Link
	SHF_GROUP      = 0x200 // member of a group
	SHF_TLS        = 0x400 // memory of each thread
	SHF_COMPRESSED = 0x800 // its contents are compressed
)

// Symbol bindings ([Symbol.Bind]; gABI ELF64_ST_BIND).
const (
	STB_LOCAL  = 0 // static in C
	STB_GLOBAL = 1 // seen by other files
	STB_WEAK   = 2 // as global, but gives way; undefined ones may stay so
)

// Symbol types ([Symbol.Type]; gABI ELF64_ST_TYPE).
const (
	STT_NOTYPE  = 0 // unknown: externs, labels
	STT_OBJECT  = 1 // a variable
	STT_FUNC    = 2 // a function
	STT_SECTION = 3 // a section
	STT_FILE    = 4 // the source file's name
	STT_COMMON  = 5 // a common block
	STT_TLS     = 6 // a variable of each thread
)

// Symbol visibilities ([Symbol.Visibility]; gABI ELF64_ST_VISIBILITY).
const (
	STV_DEFAULT   = 0 // as the binding says
	STV_INTERNAL  = 1 // hidden, in a way the processor defines
	STV_HIDDEN    = 2 // not seen outside its object; libbpf verifies such functions as static ones
	STV_PROTECTED = 3 // seen, but not replaceable
)

// Relocation types of BPF ([Relocation.Type]; Documentation/bpf/llvm_reloc.rst).
const (
	R_BPF_NONE        = 0  // nothing to change
	R_BPF_64_64       = 1  // the 64-bit immediate of an ld_imm64 instruction
	R_BPF_64_ABS64    = 2  // 64 bits of data
	R_BPF_64_ABS32    = 3  // 32 bits of data
	R_BPF_64_NODYLD32 = 4  // 32 bits in .BTF, .BTF.ext and DWARF, which loaders leave alone
	R_BPF_64_32       = 10 // the target of a call instruction
)

// Special section indices of symbols and of the file header (gABI, "Special Section Indexes").
const (
	shnLoReserve = 0xff00 // those from here on are no index
	shnAbs       = 0xfff1
	shnCommon    = 0xfff2
	shnXIndex    = 0xffff // the index is elsewhere
)
