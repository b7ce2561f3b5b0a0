package object

import (
	"slices"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/text"
)

// exceptionTag is what a DECL_TAG of a program begins with that names the function which catches its exceptions (bpf_throw [6.7]). The verifier finds it by that tag, but
// nothing calls it.
const exceptionTag = "exception_callback:"

// catcher is a program and the function that catches its exceptions.
type catcher struct{ program, catches string }

// catchers finds what the tags of the object's BTF say.
func (src *source) catchers() (all []catcher) {
	if src.types == nil || src.types.Parts()&btf.PartDeclTag == 0 {
		return nil
	}
	for id := range src.types.Len() {
		t := src.types.Type(btf.ID(id))
		if t.Kind() != btf.KindDeclTag || t.ComponentIndex() >= 0 {
			continue
		}
		name, found := text.CutPrefix(t.Name(), exceptionTag)
		if f := src.types.Type(t.Ref()); found && f.Kind() == btf.KindFunc {
			all = append(all, catcher{f.Name(), name})
		}
	}
	return all
}

// placeCatcher implements ksymFixes.
func (k *ksyms) placeCatcher(a *assembler, p *ProgramSpec) error {
	for _, c := range k.catchers {
		if c.program != p.Name {
			continue
		}
		functions := k.src.functions
		index := slices.IndexFunc(functions, func(f function) bool { return f.name == c.catches && !f.entry && !f.static })
		if index < 0 {
			return malformed(text.Form("exceptions of program {} are to be caught by {}, but there is no such global function").Quote(p.Name).Quote(c.catches).String())
		}
		if a.at[index] >= 0 {
			continue
		}
		if err := a.place(int32(index)); err != nil {
			return err
		}
		if err := a.followCalls(); err != nil {
			return err
		}
	}
	return nil
}
