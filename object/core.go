package object

import (
	"errors"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/text"
)

// ErrNoKernelTypes says that an object has accesses to be fitted to the kernel's types (CO-RE), programs for something that those name, or externs of .ksyms, and that
// [LoadOptions] have no KernelTypes.
var ErrNoKernelTypes = errors.New("object: the kernel's types are needed, and were not given")

// ErrRelocation says that an access cannot be fitted to the kernel's types, although it makes sense and the kernel has what it is to: several types of the kernel could be
// meant, or what was found does not fit the instruction.
var ErrRelocation = errors.New("object: an access does not fit the kernel's types")

// typeFixes fits a load's accesses to the kernel's types. There is one implementation, but to call it by its name would link it into agents
// that have no such accesses.
type typeFixes interface {
	// apply fits the instructions of a function that begins at base in an image.
	apply(m *image, function int32, base uint32) error
	// explain says which access made the verifier refuse a program, "" if none did.
	explain(m *image, log string) string
}

// ksymFixes are the externs of .ksyms of one load, which the kernel was asked for. There is one implementation, as with typeFixes.
type ksymFixes interface {
	// apply writes what the kernel says of an extern into an instruction of f; known is false if it is none of .ksyms.
	apply(f *function, ref *reference, insn []byte) (known bool, err error)
	// explain says which of them made the verifier refuse a program, "" if none did.
	explain(log string) string
	// placeCatcher appends to an image the function that catches the exceptions of a program, if there is one: throwing is a kernel function.
	placeCatcher(a *assembler, p *ProgramSpec) error
	// hide makes of their section in an object's types what the kernel takes.
	hide(types *btf.Data, datasec btf.ID) error
}

// fitTypes decides all accesses of the programs to load, and finds what they are for and what they want of the kernel, if there are kernel types.
func (l *loader) fitTypes() error {
	if k := l.opts.KernelTypes; k != nil && k.fit != nil {
		return k.fit(l)
	}
	if l.spec.source.hasKsyms() {
		return &problem{ErrNoKernelTypes, "the object has externs, of section .ksyms; " + setKernelTypes}
	}
	for _, p := range l.spec.Programs {
		if p.needsTarget() {
			return &problem{ErrNoKernelTypes, p.where() + " is for something that only they name; " + setKernelTypes}
		}
	}
	return nil
}

const setKernelTypes = "set LoadOptions.KernelTypes to what object.RunningKernel gives"

// fitTypes fits the accesses of a function that begins at base.
func (a *assembler) fitTypes(index int32, base int) error {
	f := &a.src.functions[index]
	switch {
	case f.core == 0:
	case !f.coreTypes:
		return a.setTypeIDs(f, base)
	case a.fixes != nil:
		return a.fixes.apply(a.image, index, uint32(base))
	case a.lacking == nowhere:
		a.lacking = index
	}
	return nil
}

// setTypeIDs fits the accesses of a function that ask for nothing but ids of the object's own types, which a linker may have changed.
func (a *assembler) setTypeIDs(f *function, base int) error {
	records, _ := a.src.ext.CORERelos(a.src.file.Sections[f.section].Name)
	for i := range f.core {
		relo := a.src.ext.COREReloAt(records, int(f.coreFirst+i))
		insn := a.image.insns[(base+int(relo.InsnOff/insnSize-f.start))*insnSize:]
		if insn[0] != opLoad64 && insn[0] != opMove64 && insn[0] != opMove {
			return a.src.misplaced(f, &relo, takesNoConstant)
		}
		a.src.big.setImmediate(insn, int32(relo.Type))
	}
	return nil
}

const takesNoConstant = "the instruction takes no constant"

// noKernelTypes says that a program's function needs what was not given.
func noKernelTypes(p *ProgramSpec, f *function) error {
	return &problem{ErrNoKernelTypes, text.Form("program {} has {} CO-RE relocations in function {}; {}").
		Quote(p.Name).Uint(uint64(f.core)).Quote(f.name).Add(setKernelTypes).String()}
}

// misplaced says what is wrong with a CO-RE relocation.
//
//go:noinline
func (src *source) misplaced(f *function, relo *btf.CORERelo, what string) error {
	return malformed(text.Form("the CO-RE relocation at byte {} of .BTF.ext, of instruction {} of function {}: {}").
		Uint(uint64(relo.At)).Uint(uint64(relo.InsnOff/insnSize - f.start)).Quote(f.name).Add(what).String())
}
