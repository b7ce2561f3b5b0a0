package elf_test

import (
	"bytes"
	debugelf "debug/elf"
	"testing"

	"github.com/pinion-bpf/pinion/elf"
)

// FuzzParse wants no panic, what Parse promises, and wherever debug/elf reads the file as well, the same reading.
func FuzzParse(f *testing.F) {
	for _, order := range orders {
		m := sample(order)
		f.Add(m.bytes())
		f.Add(m.file[:len(m.file)-1])
		f.Add(m.file[:elf.HeaderSize])
		m = sample(order)
		m.tableFirst, m.typ = true, elf.ET_EXEC
		f.Add(m.bytes())
		m = sample(order)
		m.add(part{typ: elf.SHT_SYMTAB_SHNDX, link: symtab, data: make([]byte, 4*sampleSymbols)})
		f.Add(m.bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if check(t, data) != nil {
			return
		}
		// debug/elf reads program headers too, and refuses sizes above 1<<63; where it does not agree to read, nothing is to compare.
		want, err := debugelf.NewFile(bytes.NewReader(data))
		if err != nil {
			return
		}
		if _, err := want.Symbols(); err == nil {
			same(t, mustParse(t, data), want)
		}
	})
}
