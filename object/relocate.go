package object

import (
	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/internal/order"
	"github.com/pinion-bpf/pinion/internal/text"
)

const relocationSize = 16 // bytes in a relocation without addend

// reference is what an instruction refers to.
type reference struct {
	kind   referenceKind
	insn   uint32 // the instruction, counted from the start of its function
	index  int32  // of a map in Spec.Maps, or of a function in source.functions
	offset uint32 // into a data map's value or the section of jump tables, in bytes
	size   uint32 // of a jump table, in bytes
	name   string // the symbol's
}

type referenceKind uint8

const (
	toMap       referenceKind = iota // the map itself
	toData                           // a place in a map of global data, or in an arena
	toFunction                       // a call, or a function's address
	toJumpTable                      // addresses of instructions
	toExtern                         // something that the object does not have
	toAddress                        // a place in a map of global data, in a variable that is to hold an address
)

// relocations returns the records of a function's relocations, of relocationSize bytes, in the order of the places they change.
func (src *source) relocations(f *function) []byte {
	all := src.sections[f.section].relData
	// Offsets lie below the section's size, and that in 32 bits.
	from := func(insn uint32) int {
		return relocationSize * order.First(len(all)/relocationSize, func(i int) bool {
			return src.relocation(all[i*relocationSize:]).Offset >= uint64(insn)*insnSize
		})
	}
	return all[from(f.start):from(f.start+f.count)]
}

// relocation reads the first of some records: Elf64_Rel. Package elf has checked them.
func (src *source) relocation(records []byte) elf.Relocation {
	info := src.file.Order.Uint64(records[8:])
	return elf.Relocation{Offset: src.file.Order.Uint64(records), Type: uint32(info), Symbol: int(info >> 32)}
}

// code returns a function's instructions, which are the file's and must not be changed.
func (src *source) code(f *function) []byte {
	return src.file.Sections[f.section].Data[int(f.start)*insnSize:][:int(f.count)*insnSize]
}

// resolve finds out what the relocation of an instruction of f refers to.
func (src *source) resolve(ref *reference, f *function, rel elf.Relocation) error {
	at := rel.Offset - uint64(f.start)*insnSize
	ref.insn = uint32(at / insnSize)
	fail := func(what string) error {
		return malformed(text.Form("relocation of byte {} of function {}: {}").Uint(at).Quote(f.name).Add(what).String())
	}
	if at%insnSize != 0 {
		return fail("there is no instruction")
	}
	if rel.Type != elf.R_BPF_64_64 && rel.Type != elf.R_BPF_64_32 {
		return fail(text.Form("its type is {}; those of instructions are 1 (R_BPF_64_64) and 10 (R_BPF_64_32)").
			Uint(uint64(rel.Type)).String())
	}
	symbol, err := src.file.Symbol(rel.Symbol)
	if err != nil {
		return err
	}
	insn := src.code(f)[at:][:insnSize]
	opcode := insn[0]
	call := opcode == opCall && src.big.sourceRegister(insn) == pseudoCall
	if opcode != opLoad64 && !call {
		return fail(text.Form("the instruction there, with opcode {}, is neither a call nor a 64-bit load").Uint(uint64(opcode)).String())
	}
	ref.name = symbol.Name
	if what := src.target(ref, &symbol, call, int64(src.big.immediate(insn))); what != "" {
		return fail(what)
	}
	return nil
}

// target fills in what a symbol with an addend stands for; it returns what is wrong with it, or "".
func (src *source) target(ref *reference, symbol *elf.Symbol, call bool, addend int64) string {
	if symbol.Section == elf.SectionUndef && symbol.Name != "" {
		o := src.option(symbol.Name)
		switch {
		case o == nil:
			ref.kind = toExtern
		case call:
			return text.Form("a call of {}, which is an option of the kernel's configuration").Quote(symbol.Name).String()
		default:
			ref.kind, ref.index, ref.offset = toData, src.options.spec, o.offset
		}
		return ""
	}
	if symbol.Section <= 0 || symbol.Value >= 1<<32 {
		return text.Form("symbol {} lies in no section").Quote(symbol.Name).String()
	}
	sec := &src.file.Sections[symbol.Section]
	role := src.sections[symbol.Section].role
	if ref.name == "" {
		ref.name = sec.Name
	}
	if src.gas && symbol.Type != elf.STT_SECTION {
		addend -= int64(symbol.Value)
	}
	place := int64(symbol.Value) + addend // in bytes
	switch {
	case call:
		// The addend of a call is in instructions, and one less, as the call itself would have it.
		place = int64(symbol.Value) + (addend+1)*insnSize
		return src.functionTarget(ref, symbol.Section, place)
	case role == roleText || role == roleProgram:
		return src.functionTarget(ref, symbol.Section, place)
	case role == roleMaps || role == roleLegacyMaps:
		ref.kind, ref.index = toMap, int32(src.mapAt(symbol.Section, uint64(place)))
		if ref.index < 0 {
			return text.Form("no map is defined at byte {} of section {}").Int64(place).Quote(sec.Name).String()
		}
	case role == roleData || role == roleArena:
		ref.kind, ref.index, ref.offset = toData, src.sections[symbol.Section].dataMap, uint32(place)
		if place < 0 || uint64(place) >= sec.Size {
			return text.Form("byte {} of section {}, which has only {}").Int64(place).Quote(sec.Name).Uint(sec.Size).String()
		}
		if _, found := src.addressNear(symbol.Section, uint64(place)); found {
			ref.kind = toAddress
		}
	case role == roleJumpTables:
		return ref.jumpTableTarget(place, symbol.Size, sec.Size)
	default:
		return text.Form("section {} holds nothing that an instruction could refer to").Quote(sec.Name).String()
	}
	return ""
}

// functionTarget fills in the function that begins at a byte of a section.
func (src *source) functionTarget(ref *reference, section int, place int64) string {
	i := -1
	if place >= 0 && place%insnSize == 0 {
		i = src.functionAt(section, place/insnSize)
	}
	if i < 0 {
		return text.Form("no function begins at byte {} of section {}").Int64(place).Quote(src.file.Sections[section].Name).String()
	}
	ref.kind, ref.index, ref.name = toFunction, int32(i), src.functions[i].name
	return ""
}
