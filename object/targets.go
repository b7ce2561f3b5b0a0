package object

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// findTargets finds, in l.targets by index in Programs, the kernel's types that the programs to load are for; nil if none needs one.
func (l *loader) findTargets() error {
	s, types := l.spec, l.opts.KernelTypes
	first := slices.IndexFunc(s.Programs, (*ProgramSpec).needsTarget)
	if first < 0 {
		return nil
	}
	if !types.running { // the ids must be those of the kernel that is to attach
		var err error
		if types, err = openKernelTypes(); err != nil {
			do := s.Programs[first].where() + " needs a kernel built with CONFIG_DEBUG_INFO_BTF"
			return sys.Fail("read the kernel's types", kernelTypesPath, err, do)
		}
		defer types.Close()
	}
	ids := make([]uint32, len(s.Programs))
	for i, p := range s.Programs {
		if !p.needsTarget() {
			continue
		}
		kind, name, err := p.target()
		if err != nil {
			return err
		}
		t, found := types.types.Find(kind, name)
		if !found {
			do := text.Form("the kernel has no {} {} to attach to").Add(kind.String()).Quote(name).String()
			return sys.Fail("load", p.where(), unix.ENOENT, do)
		}
		ids[i] = uint32(t.ID())
	}
	l.targets = ids
	return nil
}

// needsTarget reports whether the program is to be loaded, and for one thing that the kernel's types name.
func (p *ProgramSpec) needsTarget() bool {
	return p.Autoload && p.row != nil && p.row.bits&kernelBTF != 0
}

// where names a program for a message.
//
//go:noinline
func (p *ProgramSpec) where() string {
	return text.Form("program {} in section {}").Quote(p.Name).Quote(p.Section).String()
}

// target returns what the kernel's types call the thing that a program is for.
func (p *ProgramSpec) target() (btf.Kind, string, error) {
	where := p.where()
	switch {
	case p.Type == sys.ProgTypeExt:
		return 0, "", unsupported(where + " replaces a function of another program, which cannot be named yet")
	case p.AttachTo == "":
		return 0, "", badSpec(where + " does not say what it is for; set AttachTo, or name it in the section")
	case text.Has(p.AttachTo, ':'):
		return 0, "", unsupported(where + " is for a function of a kernel module")
	}
	switch p.AttachType {
	case sys.AttachTypeTraceRawTP:
		return btf.KindTypedef, "btf_trace_" + p.AttachTo, nil
	case sys.AttachTypeLSMMac, sys.AttachTypeLSMCgroup:
		return btf.KindFunc, "bpf_lsm_" + p.AttachTo, nil
	case sys.AttachTypeTraceIter:
		return btf.KindFunc, "bpf_iter_" + p.AttachTo, nil
	}
	return btf.KindFunc, p.AttachTo, nil
}
