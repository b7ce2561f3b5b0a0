package object

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// target is what a program is for: a type in the BTF of the kernel, of one of its modules, or of another program.
type target struct {
	id uint32 // attach_btf_id
	fd int32  // attach_btf_obj_fd of the module, or attach_prog_fd; 0 for the kernel
}

// targets are what the programs of one load are for, while it is looked for.
type targets struct {
	loader  *loader
	wanted  []btf.Wanted
	modules []string // by index in wanted: the module that must have it, "" for any and the kernel
	of      []int    // by index in wanted: the program
}

// findTargets finds, in l.targets by index in Programs, what the programs to load are for; nil if none needs it.
func (l *loader) findTargets() error {
	if !slices.ContainsFunc(l.spec.Programs, (*ProgramSpec).needsTarget) {
		return nil
	}
	l.targets = make([]target, len(l.spec.Programs))
	t := targets{loader: l}
	for i, p := range l.spec.Programs {
		if !p.needsTarget() {
			continue
		}
		if err := p.checkTarget(); err != nil {
			return err
		}
		if p.AttachProgram == nil {
			t.want(i, p)
		} else if err := l.findInProgram(i, p); err != nil {
			return err
		}
	}
	if len(t.wanted) == 0 {
		return nil
	}
	return t.find()
}

// needsTarget reports whether the program is to be loaded, and for one thing that BTF names.
func (p *ProgramSpec) needsTarget() bool {
	if !p.Autoload {
		return false
	}
	switch p.Type {
	case sys.ProgTypeExt, sys.ProgTypeLSM:
		return true
	case sys.ProgTypeTracing: // but for those that are for many functions, which their links name
		return p.AttachType != sys.AttachTypeTraceFentryMulti && p.AttachType != sys.AttachTypeTraceFexitMulti && p.AttachType != sys.AttachTypeTraceFsessionMulti
	}
	return false
}

// where names a program for a message.
//
//go:noinline
func (p *ProgramSpec) where() string {
	return text.Form("program {} in section {}").Quote(p.Name).Quote(p.Section).String()
}

// checkTarget refuses a program that does not say what it is for.
func (p *ProgramSpec) checkTarget() error {
	switch {
	case p.AttachTo == "":
		return badSpec(p.where() + " does not say what it is for; set AttachTo, or name it in the section")
	case p.Type == sys.ProgTypeExt && p.AttachProgram == nil:
		return badSpec(p.where() + " replaces a function of another program; set AttachProgram to that program")
	case p.Type == sys.ProgTypeLSM && p.AttachProgram != nil:
		return badSpec(p.where() + " is for a hook of the kernel, and so for no program; set no AttachProgram")
	}
	return nil
}

// want notes what is to be looked for in the kernel and its modules.
func (t *targets) want(index int, p *ProgramSpec) {
	kind, name := btf.KindFunc, p.AttachTo
	module, rest, found := text.Cut(name, ':')
	if found {
		name = rest
	} else {
		module = ""
	}
	switch p.AttachType {
	case sys.AttachTypeTraceRawTP:
		kind, name = btf.KindTypedef, "btf_trace_"+name
	case sys.AttachTypeLSMMac, sys.AttachTypeLSMCgroup:
		name = "bpf_lsm_" + name
	case sys.AttachTypeTraceIter:
		name = "bpf_iter_" + name
	}
	t.wanted, t.modules, t.of = append(t.wanted, btf.Wanted{Kind: kind, Name: name}), append(t.modules, module), append(t.of, index)
}

// find looks through the types of the kernel, and through those of its modules for what is left. The ids must be those of the kernel that is to attach.
func (t *targets) find() error {
	l := t.loader
	types, where := l.opts.KernelTypes, l.spec.Programs[t.of[0]].where()
	if !types.running {
		var err error
		if types, err = openKernelTypes(); err != nil {
			return sys.Fail("read the kernel's types", kernelTypesPath, err, where+" needs a kernel built with CONFIG_DEBUG_INFO_BTF")
		}
		defer types.Close()
	}
	err := t.look(types.types, kernelTypesName, func() (int32, error) { return 0, nil })
	if err != nil || len(t.wanted) == 0 {
		return err
	}
	free, err := types.modules(func(name string, module *btf.Data) error {
		return t.look(module, name, func() (int32, error) {
			fd, err := findModule(name)
			if err != nil {
				return 0, err
			}
			l.modules = append(l.modules, fd)
			return int32(fd.Int()), nil
		})
	})
	defer free()
	if err != nil || len(t.wanted) == 0 {
		return err
	}
	p, w, in := l.spec.Programs[t.of[0]], t.wanted[0], "the kernel and its modules have"
	if module := t.modules[0]; module != "" {
		in = text.Form("module {} is not loaded, or has").Quote(module).String()
	}
	do := text.Form("{} no {} {} to attach to").Add(in).Add(w.Kind.String()).Quote(w.Name).String()
	return sys.Fail("load", p.where(), unix.ENOENT, do)
}

// look looks for what is wanted and may be in the types of that name; open gives the descriptor of those, and is called if there is any. What was found is not wanted any more.
func (t *targets) look(types *btf.Data, name string, open func() (int32, error)) error {
	may := make([]btf.Wanted, 0, len(t.wanted))
	for i, w := range t.wanted {
		if in := t.modules[i]; in != "" && in != name {
			w.Kind = btf.KindVoid // it is not looked for here
		}
		may = append(may, w)
	}
	types.FindAll(may)
	fd, left := int32(-1), 0
	for i, w := range may {
		if w.Type.ID() == 0 {
			t.wanted[left], t.modules[left], t.of[left] = t.wanted[i], t.modules[i], t.of[i]
			left++
			continue
		}
		if fd < 0 {
			var err error
			if fd, err = open(); err != nil {
				return err
			}
		}
		t.loader.targets[t.of[i]] = target{uint32(w.Type.ID()), fd}
	}
	t.wanted, t.modules, t.of = t.wanted[:left], t.modules[:left], t.of[:left]
	return nil
}

// findInProgram finds the function of another program that a program replaces or traces.
func (l *loader) findInProgram(index int, p *ProgramSpec) error {
	fail := func(err error, do string) error {
		return sys.Fail("load", text.Form("{}, for program {}").Add(p.where()).Quote(p.AttachProgram.Name()).String(), err, do)
	}
	if p.AttachProgram.FD().Int() < 0 {
		return fail(sys.ErrClosed, "")
	}
	var info sys.ProgInfo
	if _, err := sys.GetInfo(p.AttachProgram.FD(), &info); err != nil {
		return fail(err, "")
	}
	if info.BTFID == 0 {
		return fail(unix.ENOENT, "that program was loaded without BTF, so nothing names its functions")
	}
	types, err := loadedTypes(info.BTFID)
	if err != nil {
		return fail(err, adviseLoad(err, "CAP_SYS_ADMIN"))
	}
	t, found := types.Find(btf.KindFunc, p.AttachTo)
	if !found {
		return fail(unix.ENOENT, text.Form("it has no function {}").Quote(p.AttachTo).String())
	}
	l.targets[index] = target{uint32(t.ID()), int32(p.AttachProgram.FD().Int())}
	return nil
}
