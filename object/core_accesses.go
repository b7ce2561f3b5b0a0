package object

import (
	"slices"

	"github.com/pinion-bpf/pinion/internal/btf"
)

// NeedsKernelTypes reports whether [LoadOptions] should have KernelTypes: whether the programs with Autoload, or subprograms, have accesses that are fitted to the
// kernel's types (CO-RE), one of those programs is for something that only these name, or the object has externs of .ksyms.
func (s *Spec) NeedsKernelTypes() bool {
	return s.hasFitted() || s.source.hasKsyms() || slices.ContainsFunc(s.Programs, (*ProgramSpec).needsTarget)
}

func (s *Spec) hasFitted() bool {
	for i := range s.source.functions {
		if s.isFitted(int32(i)) {
			return true
		}
	}
	return false
}

// hasKsyms reports whether there are externs that the kernel's types and symbols answer.
func (src *source) hasKsyms() bool { return src.datasec(".ksyms").Vlen() > 0 }

// isFitted reports whether a function may be loaded, and has accesses that need the kernel's types.
func (s *Spec) isFitted(index int32) bool {
	f := &s.source.functions[index]
	if !f.coreTypes || !f.entry {
		return f.coreTypes
	}
	p := s.programOf(index)
	return p != nil && p.Autoload
}

// accesses gives the CO-RE relocations of a function; there are f.core.
func (src *source) accesses(f *function) btf.Records {
	all, _ := src.ext.CORERelos(src.file.Sections[f.section].Name)
	all.Offset += f.coreFirst * all.RecSize
	all.Data, all.Count = all.Data[f.coreFirst*all.RecSize:][:f.core*all.RecSize], f.core
	return all
}

// Access is something that an instruction asks about a type of the kernel, to be answered when it is loaded (CO-RE).
type Access struct {
	Function    string // a program's, or a subprogram
	Section     string // that the function is in
	Instruction int    // counted from the start of the function
	What        string // in words: "offset of struct task_struct.comm[0]"
	File        string // base name of the source file; "" if it is not known
	Line        int    // in the file, from 1; 0 if it is not known
}

// Accesses lists what the object's functions ask about types of the kernel, in the order of their instructions in the file.
func (s *Spec) Accesses() (all []Access) {
	src := s.source
	for i := range src.functions {
		f := &src.functions[i]
		if f.core == 0 {
			continue
		}
		accesses := src.accesses(f)
		for i := range int(f.core) {
			relo := src.ext.COREReloAt(accesses, i)
			insn := relo.InsnOff / insnSize
			_, line, file := src.sourceLine(f, insn)
			all = append(all, Access{
				Function: f.name, Section: src.file.Sections[f.section].Name, Instruction: int(insn - f.start),
				What: src.types.DescribeAccess(relo), File: file, Line: int(line),
			})
		}
	}
	return all
}
