package object

import (
	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/order"
	"github.com/pinion-bpf/pinion/internal/text"
)

// kernelBTF returns the object's BTF as BPF_BTF_LOAD takes it, nil if the object has none. Compilers leave out what only the
// linker knows, which is completed as libbpf does it (libbpf.c, btf_fixup_datasec and bpf_object__sanitize_and_load_btf):
//
//   - sizes of sections, and where global variables lie in them, from ELF;
//   - a place for each extern of .kconfig, which is then a variable like others;
//   - those of .ksyms become types that say nothing, since the kernel takes neither functions nor variables without a type there;
//   - global functions and variables with hidden visibility become static, which makes the verifier follow calls of such functions
//     instead of verifying each by itself; extern functions become global.
//
// The ids of types stay as they are. Without its externs of .ksyms it is good for comparing only.
func (s *Spec) kernelBTF(ksyms ksymFixes) (*btf.Data, error) {
	src := s.source
	if src.types == nil {
		return nil, nil
	}
	e := btfEditor{src: src, ksyms: ksyms, types: src.types.Copy(), hidden: map[string]bool{}}
	e.collectSymbols()
	for _, f := range src.functions {
		if f.hidden && !f.entry {
			e.hidden[f.name] = true
		}
	}
	for _, datasec := range src.datasecs {
		if err := e.completeSection(datasec); err != nil {
			return nil, err
		}
	}
	if err := e.setFunctionLinkage(); err != nil {
		return nil, err
	}
	return e.types, nil
}

// btfEditor completes a copy of an object's BTF.
type btfEditor struct {
	src     *source
	types   *btf.Data
	ksyms   ksymFixes       // the externs of .ksyms
	symbols []elf.Symbol    // of global variables, by section, then name
	hidden  map[string]bool // subprograms that are global, but hidden
}

// collectSymbols takes the variables of every section: BTF describes others than those with global data, too.
func (e *btfEditor) collectSymbols() {
	for i := range e.src.file.SymbolCount() {
		symbol, _ := e.src.file.Symbol(i)
		variable := symbol.Type == elf.STT_OBJECT || symbol.Type == elf.STT_NOTYPE
		if variable && symbol.Section > 0 && symbol.Bind != elf.STB_LOCAL && len(symbol.Name) <= maxName {
			e.symbols = append(e.symbols, symbol)
		}
	}
	sortSymbols(e.symbols, func(a, b *elf.Symbol) bool { return a.Name < b.Name })
}

// completeSection completes one DATASEC.
func (e *btfEditor) completeSection(datasec btf.Type) error {
	switch name := datasec.Name(); name {
	case ".ksyms":
		if e.ksyms == nil {
			return nil
		}
		return e.ksyms.hide(e.types, datasec.ID())
	case kconfigName:
		return e.layOutKconfig(datasec)
	default:
		sec := e.src.file.Section(name)
		if sec == nil || sec.Size == 0 || sec.Size > maxData {
			return malformed(text.Form("the BTF has a DATASEC {}, but the file has no such section with contents").Quote(name).String())
		}
		return e.completeVariables(datasec, sec)
	}
}

// completeVariables completes a DATASEC from the symbols of its section.
func (e *btfEditor) completeVariables(datasec btf.Type, sec *elf.Section) error {
	complete := datasec.Size() != 0 // a linker was here
	if !complete {
		if err := e.types.SetDatasecSize(datasec.ID(), uint32(sec.Size)); err != nil {
			return err
		}
	}
	for i := range datasec.Vlen() {
		v := datasec.Var(i)
		t := e.types.Type(v.Type)
		if t.Kind() != btf.KindVar || t.Linkage() != btf.LinkageGlobal {
			continue // static variables have their offsets from the compiler
		}
		symbol := e.symbol(sec, t.Name())
		if symbol == nil {
			return malformed(text.Form("variable {} of the DATASEC {} has no symbol").Quote(t.Name()).Quote(sec.Name).String())
		}
		if !complete {
			if err := e.types.SetVarSecinfo(datasec.ID(), i, uint32(symbol.Value), v.Size); err != nil {
				return err
			}
		}
		if isHidden(symbol) {
			if err := e.types.SetVarLinkage(t.ID(), btf.LinkageStatic); err != nil {
				return err
			}
		}
	}
	return e.placeVariables(datasec.ID(), sec)
}

// symbol returns a variable's symbol, nil if there is none.
func (e *btfEditor) symbol(sec *elf.Section, name string) *elf.Symbol {
	i := order.First(len(e.symbols), func(i int) bool {
		s := &e.symbols[i]
		return s.Section > sec.Index || s.Section == sec.Index && s.Name >= name
	})
	if i == len(e.symbols) || e.symbols[i].Section != sec.Index || e.symbols[i].Name != name {
		return nil
	}
	return &e.symbols[i]
}

// layOutKconfig makes variables of the externs of .kconfig, where the map has them.
func (e *btfEditor) layOutKconfig(datasec btf.Type) error {
	for _, o := range e.src.options.all {
		if err := e.types.SetVarSecinfo(datasec.ID(), int(o.entry), o.offset, o.size); err != nil {
			return err
		}
		if err := e.types.SetVarLinkage(datasec.Var(int(o.entry)).Type, btf.LinkageGlobal); err != nil {
			return err
		}
	}
	return e.types.SetDatasecSize(datasec.ID(), e.src.options.size)
}

// setFunctionLinkage makes hidden functions static, and extern ones global: the kernel knows no others.
func (e *btfEditor) setFunctionLinkage() error {
	for id := range e.types.Len() {
		t := e.types.Type(btf.ID(id))
		if t.Kind() != btf.KindFunc {
			continue
		}
		linkage := t.Linkage()
		if linkage == btf.LinkageExtern {
			linkage = btf.LinkageGlobal
		}
		if linkage == btf.LinkageGlobal && e.hidden[t.Name()] {
			linkage = btf.LinkageStatic
		}
		if linkage == t.Linkage() {
			continue
		}
		if err := e.types.SetFuncLinkage(t.ID(), linkage); err != nil {
			return err
		}
	}
	return nil
}
