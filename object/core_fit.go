package object

import (
	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// coreFixes is what becomes of the accesses of one load. It does not change once it is made.
type coreFixes struct {
	src    *source
	first  []uint32  // by function: where its accesses begin in fixes
	fixes  []btf.Fix // of the functions that may be loaded, in the order of functions, then of the file
	failed []error   // by function: why one of its accesses cannot be decided, and none after it was
}

// fitTypes is what KernelTypes.fit is.
func fitTypes(l *loader) error {
	if !l.spec.NeedsKernelTypes() {
		return nil
	}
	if l.opts.KernelTypes.types == nil {
		return sys.Fail("fit to the kernel's types", "", sys.ErrClosed, "")
	}
	if err := l.findTargets(); err != nil {
		return err
	}
	if err := l.findKsyms(); err != nil {
		return err
	}
	if !l.spec.hasFitted() {
		return nil
	}
	c, err := decideAll(l)
	if err == nil {
		l.fixes = c
	}
	return err
}

// decideAll gathers what the programs to load ask for, looks for all of it at once, and decides each access. What cannot be decided is an error only for programs
// that reach it.
func decideAll(l *loader) (*coreFixes, error) {
	k, src := l.opts.KernelTypes, l.spec.source
	c := &coreFixes{src: src, first: make([]uint32, len(src.functions)), failed: make([]error, len(src.functions))}
	r, total := btf.NewRelocator(src.types), uint32(0)
	for index := range src.functions {
		c.first[index] = total
		if f := &src.functions[index]; l.spec.isFitted(int32(index)) {
			accesses := src.accesses(f)
			for i := range int(f.core) {
				r.Add(src.ext.COREReloAt(accesses, i))
			}
			total += f.core
		} else if f.coreTypes {
			c.failed[index] = badSpec(text.Form("function {} is called, but is a program with Autoload off, and so was not fitted to the kernel").Quote(f.name).String())
		}
	}
	if err := r.Search(k.types); err != nil {
		return nil, sys.Fail("look through", "the kernel's types", &problem{ErrRelocation, err.Error()}, "")
	}
	if k.running && r.Lacks() {
		free, err := k.modules(func(_ string, types *btf.Data) error { return r.Search(types) })
		defer free()
		if err != nil {
			return nil, err
		}
	}
	c.fixes = make([]btf.Fix, 0, total)
	for index := range src.functions {
		if l.spec.isFitted(int32(index)) {
			c.decide(r, int32(index))
		}
	}
	return c, nil
}

// decide decides the accesses of a function.
func (c *coreFixes) decide(r *btf.Relocator, index int32) {
	f := &c.src.functions[index]
	accesses, end := c.src.accesses(f), len(c.fixes)+int(f.core)
	for i := range int(f.core) {
		relo := c.src.ext.COREReloAt(accesses, i)
		fix, err := r.Fit(relo)
		if err != nil {
			c.failed[index] = c.undecided(f, &relo, err)
			break
		}
		c.fixes = append(c.fixes, fix)
	}
	c.fixes = c.fixes[:end]
}

// undecided says why an access cannot be decided.
func (c *coreFixes) undecided(f *function, relo *btf.CORERelo, err error) error {
	kind := ErrRelocation
	if at, ok := err.(*btf.Error); ok && at.Ext && at.Err == btf.ErrFormat { // errors.As costs 20 KB
		kind = ErrFormat
	}
	return &problem{kind, text.Form("{}: {}").Add(c.src.whereAccess(f, relo)).Add(err.Error()).String()}
}

// apply implements typeFixes.
func (c *coreFixes) apply(m *image, function int32, base uint32) error {
	f := &c.src.functions[function]
	if c.failed[function] != nil {
		return c.failed[function]
	}
	accesses := c.src.accesses(f)
	for i := range f.core {
		relo := c.src.ext.COREReloAt(accesses, int(i))
		n := c.first[function] + i
		at := base + relo.InsnOff/insnSize - f.start
		poisoned, wrong := m.big.fit(m.insns[at*insnSize:], &c.fixes[n])
		switch {
		case wrong != nil && wrong.kind == ErrFormat:
			return c.src.misplaced(f, &relo, wrong.what)
		case wrong != nil:
			return &problem{wrong.kind, text.Form("{}: {}").Add(c.src.whereAccess(f, &relo)).Add(wrong.what).String()}
		case poisoned:
			m.poisoned = append(m.poisoned, poison{at, n})
		}
	}
	return nil
}

// fit writes a fix into the instruction that it is for, as libbpf does (bpf_core_patch_insn), or makes it one that must not run. What libbpf does not notice, that
// a value is too large for its instruction, is an error.
func (big bigEndian) fit(insn []byte, fix *btf.Fix) (poisoned bool, wrong *problem) {
	switch class := insn[0] & classMask; class {
	case classALU, classALU64:
		if insn[0]&sourceIsRegister != 0 {
			return false, &problem{ErrFormat, takesNoConstant}
		}
		return big.fitConstant(insn, fix, class == classALU)
	case classLDX, classST, classSTX:
		return big.fitMemory(insn, fix)
	}
	if !big.isPlainLoad64(insn) {
		return false, &problem{ErrFormat, "the instruction is none that could be fitted"}
	}
	return big.fitLoad64(insn, fix)
}
