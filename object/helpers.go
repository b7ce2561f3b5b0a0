package object

import "slices"

// findHelpers tells subprograms from programs among the static functions in program sections: those that another function calls, or takes the address of, are
// subprograms, as they would be in .text; nobody but the kernel can call the others. Global functions there are programs whoever calls them.
func (src *source) findHelpers() {
	inDoubt := func(f function) bool { return f.static && f.entry }
	if !slices.ContainsFunc(src.functions, inDoubt) {
		return
	}
	for i := range src.functions {
		src.eachCallee(&src.functions[i], func(callee int) {
			if f := &src.functions[callee]; callee != i && f.static {
				f.entry = false
			}
		})
	}
}

// eachCallee gives the functions that the instructions of f refer to. What is wrong with an instruction is for the assembler to report.
func (src *source) eachCallee(f *function, give func(callee int)) {
	code, rels := src.code(f), src.relocations(f)
	for i := uint32(0); i < f.count; i++ {
		insn := code[i*insnSize:][:insnSize]
		relocated := false
		for ; len(rels) > 0; rels = rels[relocationSize:] {
			rel := src.relocation(rels)
			if rel.Offset >= uint64(f.start+i+1)*insnSize {
				break
			}
			var ref reference
			if err := src.resolve(&ref, f, rel); err == nil && ref.kind == toFunction {
				give(int(ref.index))
			}
			relocated = true
		}
		if relocated || insn[0] != opCall || src.big.sourceRegister(insn) != pseudoCall {
			continue
		}
		if callee := src.functionAt(int(f.section), int64(f.start)+int64(i)+1+int64(src.big.immediate(insn))); callee >= 0 {
			give(callee)
		}
	}
}
