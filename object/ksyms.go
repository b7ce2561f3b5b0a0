package object

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// ksyms are the externs of one load, and what the kernel says of those of .ksyms. They do not change once they are found.
type ksyms struct {
	src     *source
	externs []extern
	answers []answer // by index in externs

	wanted []btf.Wanted // the types that are looked for
	of     []int        // by index in wanted: the extern
	fit    *btf.Relocator

	catchers []catcher // of exceptions
}

// findKsyms asks the kernel for the externs of .ksyms. What it has not is an error only for programs that reach it.
func (l *loader) findKsyms() error {
	src := l.spec.source
	if !src.hasKsyms() {
		return nil
	}
	k := &ksyms{src: src, externs: src.externs(), fit: btf.NewRelocator(src.types), catchers: src.catchers()}
	k.answers = make([]answer, len(k.externs))
	l.ksyms = k
	addresses := false
	for i := range k.externs {
		switch e := &k.externs[i]; e.kind {
		case externAddress:
			addresses = true
		case externVariable:
			k.want(i, btf.KindVar, e.name)
		case externFunction:
			k.want(i, btf.KindFunc, btf.EssentialName(e.name))
		}
	}
	if len(k.wanted) > 0 {
		if err := k.findTypes(l); err != nil {
			return err
		}
	}
	if addresses {
		return k.findAddresses()
	}
	return nil
}

func (k *ksyms) want(extern int, kind btf.Kind, name string) {
	k.wanted = append(k.wanted, btf.Wanted{Kind: kind, Name: name})
	k.of = append(k.of, extern)
}

// findTypes looks for variables and functions in the kernel's types, then in those of modules. The ids must be those of the kernel that is to run the programs.
func (k *ksyms) findTypes(l *loader) error {
	types := l.opts.KernelTypes
	if !types.running {
		var err error
		if types, err = openKernelTypes(); err == unix.ENOENT {
			k.none("the kernel has no types (CONFIG_DEBUG_INFO_BTF)")
			return nil
		} else if err != nil {
			return sys.Fail("read the kernel's types", kernelTypesPath, err, "")
		}
		defer types.Close()
	}
	types.types.FindAll(k.wanted)
	left, err := k.settle(0, 0)
	if err != nil || left == 0 {
		return err
	}
	free, err := types.modules(func(name string, module *btf.Data) error {
		if left == 0 {
			return nil
		}
		module.FindAll(k.wanted)
		if !k.isNew() {
			return nil
		}
		index, fd, err := l.openModule(name)
		if err != nil {
			k.refuse(err)
			return nil
		}
		left, err = k.settle(index, fd)
		return err
	})
	defer free()
	k.none("the kernel and its modules have nothing of that name")
	k.wanted = nil // their names lie in what is freed now
	return err
}

// refuse answers what was found in a module that cannot be opened.
func (k *ksyms) refuse(err error) {
	for i, extern := range k.of {
		if says := &k.answers[extern]; k.wanted[i].Type.ID() != 0 && says.state == notAsked {
			*says = answer{state: isMissing, unsure: true, why: err.Error()}
		}
	}
}

// none answers what has no answer yet: it is missing.
func (k *ksyms) none(why string) {
	for _, extern := range k.of {
		if says := &k.answers[extern]; says.state == notAsked {
			*says = answer{state: isMissing, why: why}
		}
	}
}

// isNew reports whether something was found that has no answer yet.
func (k *ksyms) isNew() bool {
	for i, extern := range k.of {
		if k.wanted[i].Type.ID() != 0 && k.answers[extern].state == notAsked {
			return true
		}
	}
	return false
}

// settle answers what was found in the types of the kernel, or of the module with that index, and gives how many are left.
func (k *ksyms) settle(module int16, fd int32) (left int, err error) {
	for i, extern := range k.of {
		t, says, e := k.wanted[i].Type, &k.answers[extern], &k.externs[extern]
		switch {
		case says.state != notAsked:
		case t.ID() == 0:
			left++
		default:
			fits, err := k.fit.Fits(e.typ, t)
			if err != nil {
				return 0, sys.Fail("compare", text.Form("the type of {} {} with the kernel's").Add(e.kind.String()).Quote(e.name).String(), &problem{ErrExtern, err.Error()}, "")
			}
			*says = answer{state: isThere, module: module, fd: fd, id: uint32(t.ID())}
			if !fits {
				*says = answer{state: isMissing, why: "the kernel's has another type than the object declares"}
			}
		}
	}
	return left, nil
}
