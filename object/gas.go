package object

import (
	"strings"

	"github.com/pinion-bpf/pinion/elf"
)

// Types of relocations of data that binutils up to 2.40 gave their own numbers; later ones, and LLVM, have 2 to 4 for them.
const (
	gasData8  = 8
	gasData16 = 9
	gasData32 = 11
	gasData64 = 12
)

// readsAsGas finds out whether the file was assembled by binutils up to 2.40 (Debian 12's gcc-bpf): those write the value of a symbol into the instruction, or the
// data, that refers to it, where LLVM and later ones write only what is to be added. Relocations of data tell, by their types. Where there are none, it is so if GCC made
// the file and every instruction that refers to a symbol has at least that symbol's value.
func (src *source) readsAsGas() bool {
	if !src.isOfGCC() {
		return false
	}
	some := false
	for i := range src.file.Sections {
		rel := &src.file.Sections[i]
		if rel.Type != elf.SHT_REL || len(rel.Data) < relocationSize {
			continue
		}
		switch src.relocation(rel.Data).Type {
		case gasData8, gasData16, gasData32, gasData64:
			return true
		case elf.R_BPF_64_ABS64, elf.R_BPF_64_ABS32, elf.R_BPF_64_NODYLD32:
			return false
		}
	}
	for i := range src.sections {
		code := src.file.Sections[i].Data
		for rels := src.sections[i].relData; src.sections[i].isCode() && len(rels) > 0; rels = rels[relocationSize:] {
			rel := src.relocation(rels)
			symbol, err := src.file.Symbol(rel.Symbol)
			if err != nil || symbol.Type == elf.STT_SECTION || symbol.Value == 0 || uint64(len(code))-rel.Offset < insnSize {
				continue
			}
			insn := code[rel.Offset:]
			has := int64(src.big.immediate(insn))
			if insn[0] == opCall {
				has++
			}
			if has < int64(symbol.Value) {
				return false
			}
			some = true
		}
	}
	return some
}

func (s *section) isCode() bool { return s.role == roleText || s.role == roleProgram }

// isOfGCC reports whether GCC wrote its name into the file.
func (src *source) isOfGCC() bool {
	comment := src.file.Section(".comment")
	return comment != nil && strings.Contains(view(comment.Data), "GCC: (")
}
