package object

import (
	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/order"
	"github.com/pinion-bpf/pinion/internal/text"
)

// maxName is the length in bytes of the longest name of a function, map or variable: the kernel's (KSYM_NAME_LEN, with a NUL, from 6.1).
const maxName = 511

//go:noinline
func nameTooLong(what, name string, most int) error {
	return malformed(text.Form("the name of {} {} has {} bytes; at most {} are allowed").
		Add(what).Quote(name).Int(len(name)).Int(most).String())
}

// function is one function: an entry point, which is a program, or a subprogram.
type function struct {
	name      string
	section   int32
	entry     bool   // it is a program: it is in a program section, and global or called by nobody
	static    bool   // it is only seen in its file
	hidden    bool   // it is global, but not seen outside its object: the verifier is to treat it as static
	start     uint32 // index of its first instruction in its section
	count     uint32 // instructions
	coreFirst uint32 // the first of its CO-RE relocations among those of its section
	core      uint32 // CO-RE relocations
	coreTypes bool   // of those, one needs the kernel's types
	program   int32  // index in Spec.Programs of an entry
	structOps bool   // it is to be called through a struct_ops map
}

// readSymbols collects functions, and the objects in sections that have a role.
func (s *Spec) readSymbols() error {
	src := s.source
	nFunctions, nObjects := 0, 0
	for i := range src.file.SymbolCount() {
		sym, _ := src.file.Symbol(i)
		switch {
		case src.isFunction(&sym):
			nFunctions++
		case src.isObject(&sym):
			nObjects++
		}
	}
	src.functions = make([]function, 0, nFunctions)
	src.objects = make([]elf.Symbol, 0, nObjects)
	for i := range src.file.SymbolCount() {
		sym, _ := src.file.Symbol(i)
		switch {
		case src.isFunction(&sym):
			src.functions = src.functions[:len(src.functions)+1]
			if err := src.setFunction(&src.functions[len(src.functions)-1], &sym); err != nil {
				return err
			}
		case src.isObject(&sym):
			if len(sym.Name) > maxName {
				return nameTooLong("variable", sym.Name, maxName)
			}
			src.objects = src.objects[:len(src.objects)+1]
			src.objects[len(src.objects)-1] = sym
		}
	}
	functions := src.functions
	order.Sort(len(functions), func(a, b int) bool {
		f, g := &functions[a], &functions[b]
		return f.section < g.section || f.section == g.section && f.start < g.start
	}, func(a, b int) { functions[a], functions[b] = functions[b], functions[a] })
	sortSymbols(src.objects, func(a, b *elf.Symbol) bool { return a.Value < b.Value })
	return src.checkFunctions()
}

// sortSymbols sorts symbols by section; less decides within one.
func sortSymbols(symbols []elf.Symbol, less func(a, b *elf.Symbol) bool) {
	order.Sort(len(symbols), func(a, b int) bool {
		s, t := &symbols[a], &symbols[b]
		return s.Section < t.Section || s.Section == t.Section && less(s, t)
	}, func(a, b int) { symbols[a], symbols[b] = symbols[b], symbols[a] })
}

func (src *source) isFunction(sym *elf.Symbol) bool {
	if sym.Type != elf.STT_FUNC || sym.Section <= 0 {
		return false
	}
	r := src.sections[sym.Section].role
	return r == roleText || r == roleProgram
}

// isObject reports whether a symbol is a variable or a map definition. Old compilers gave them no type.
func (src *source) isObject(sym *elf.Symbol) bool {
	if sym.Type != elf.STT_OBJECT && sym.Type != elf.STT_NOTYPE || sym.Section <= 0 || sym.Name == "" {
		return false
	}
	switch src.sections[sym.Section].role {
	case roleMaps, roleLegacyMaps:
		return true
	case roleData, roleArena:
		return sym.Type == elf.STT_OBJECT
	}
	return false
}

// setFunction checks a function's symbol, and makes f that function.
func (src *source) setFunction(f *function, sym *elf.Symbol) error {
	sec := &src.file.Sections[sym.Section]
	where := func() string { return text.Form("function {} in section {}").Quote(sym.Name).Quote(sec.Name).String() }
	switch {
	case sym.Name == "":
		return malformed(text.Form("a function in section {} has no name").Quote(sec.Name).String())
	case len(sym.Name) > maxName:
		return nameTooLong("function", sym.Name, maxName)
	case sym.Value%insnSize != 0 || sym.Size%insnSize != 0 || sym.Size == 0:
		return malformed(text.Form("{} begins at byte {} and has {} bytes; both should be multiples of 8, the size of an instruction").
			Add(where()).Uint(sym.Value).Uint(sym.Size).String())
	case sym.Value > sec.Size || sym.Size > sec.Size-sym.Value:
		return malformed(text.Form("{} begins at byte {} and has {} bytes, but the section has only {}").
			Add(where()).Uint(sym.Value).Uint(sym.Size).Uint(sec.Size).String())
	}
	*f = function{
		name:    sym.Name,
		section: int32(sym.Section),
		entry:   src.sections[sym.Section].role == roleProgram,
		static:  sym.Bind == elf.STB_LOCAL,
		start:   uint32(sym.Value / insnSize),
		count:   uint32(sym.Size / insnSize),
	}
	f.hidden = !f.static && isHidden(sym)
	return nil
}

//go:noinline
func isHidden(sym *elf.Symbol) bool {
	return sym.Visibility == elf.STV_HIDDEN || sym.Visibility == elf.STV_INTERNAL
}

// checkFunctions refuses functions that overlap, and counts their CO-RE relocations.
func (src *source) checkFunctions() error {
	for i := 1; i < len(src.functions); i++ {
		a, b := &src.functions[i-1], &src.functions[i]
		if a.section == b.section && a.start+a.count > b.start {
			return malformed(text.Form("functions {} and {} in section {} overlap").
				Quote(a.name).Quote(b.name).Quote(src.file.Sections[a.section].Name).String())
		}
	}
	src.findHelpers()
	return src.countCORERelos()
}

// countCORERelos finds the CO-RE relocations of every function.
func (src *source) countCORERelos() error {
	if src.ext == nil {
		return nil
	}
	for i := 0; i < len(src.functions); {
		section := src.functions[i].section
		group := src.functionsOf(section)
		if records, found := src.ext.CORERelos(src.file.Sections[section].Name); found {
			if err := src.countRecords(group, records); err != nil {
				return err
			}
		}
		i += len(group)
	}
	return nil
}

// countRecords finds the CO-RE relocations of the functions of one section. Those outside of all, left over from functions that a linker dropped, are nobody's.
// Compilers and linkers write them in the order of instructions.
func (src *source) countRecords(group []function, records btf.Records) error {
	next := 0 // function
	for i := range int(records.Count) {
		relo := src.ext.COREReloAt(records, i)
		insn := relo.InsnOff / insnSize
		if i > 0 && src.ext.COREReloAt(records, i-1).InsnOff > relo.InsnOff {
			return malformed(text.Form("the CO-RE relocation at byte {} of .BTF.ext is of an instruction before that of the one before it").
				Uint(uint64(relo.At)).String())
		}
		for next < len(group) && insn >= group[next].start+group[next].count {
			next++
		}
		if next == len(group) || insn < group[next].start {
			continue
		}
		f := &group[next]
		if f.core == 0 {
			f.coreFirst = uint32(i)
		}
		f.core++
		f.coreTypes = f.coreTypes || relo.Kind != btf.CORETypeIDLocal
	}
	return nil
}

// functionsOf returns the functions of a section, by their place in it.
func (src *source) functionsOf(section int32) []function {
	from := func(section int32) int {
		return order.First(len(src.functions), func(i int) bool { return src.functions[i].section >= section })
	}
	return src.functions[from(section):from(section+1)]
}

// functionAt returns the index of the function that begins at an instruction of a section, -1 if none does.
func (src *source) functionAt(section int, insn int64) int {
	i := order.First(len(src.functions), func(i int) bool {
		f := &src.functions[i]
		return int(f.section) > section || int(f.section) == section && int64(f.start) >= insn
	})
	if i == len(src.functions) || int(src.functions[i].section) != section || int64(src.functions[i].start) != insn {
		return -1
	}
	return i
}

// objectsOf returns the objects of a section, by their place in it.
func (src *source) objectsOf(section int) []elf.Symbol {
	from := func(section int) int {
		return order.First(len(src.objects), func(i int) bool { return src.objects[i].Section >= section })
	}
	return src.objects[from(section):from(section+1)]
}

// twin returns two of n things that have one name, or -1 twice if all names differ.
func twin(n int, name func(int) string) (i, j int) {
	sorted := order.Indices(n, func(a, b int) bool { return name(a) < name(b) })
	for k := 1; k < n; k++ {
		if a, b := int(sorted[k-1]), int(sorted[k]); name(a) == name(b) {
			return a, b
		}
	}
	return -1, -1
}
