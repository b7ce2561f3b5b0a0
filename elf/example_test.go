package elf_test

import (
	"encoding/binary"
	"fmt"

	"github.com/pinion-bpf/pinion/elf"
)

// Usually the bytes are those of a .bpf.o file, read or embedded. Here they are built by hand.
func ExampleParse() {
	f, err := elf.Parse(sample(binary.LittleEndian).bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_EXECINSTR != 0 {
			fmt.Println("section", s.Name, "has", len(s.Data)/8, "instructions")
		}
	}
	for _, s := range f.Symbols() {
		if s.Type == elf.STT_FUNC {
			fmt.Println("function", s.Name, "at byte", s.Value, "of", f.Sections[s.Section].Name)
		}
	}
	for r := range f.Relocations(f.Section(".relxdp")) {
		if s, err := f.Symbol(r.Symbol); err == nil && r.Type == elf.R_BPF_64_64 {
			fmt.Println("byte", r.Offset, "needs the address of", s.Name)
		}
	}
	// Output:
	// section xdp has 6 instructions
	// function count at byte 8 of xdp
	// byte 0 needs the address of flows
}

// A file that cannot be trusted gives an error that says where and what.
func ExampleError() {
	file := sample(binary.LittleEndian).bytes()
	_, err := elf.Parse(file[:len(file)-1])
	fmt.Println(err)
	// Output:
	// elf: truncated: section table at byte 401: 7 headers of 64 bytes do not fit in a file of 848 bytes
}
