package object

import (
	"errors"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// LoadOptions change how [Spec.Load] loads. The zero value is good for most.
type LoadOptions struct {
	// Maps is asked for every map before it is created, so that one that exists can be used instead. nil creates all.
	Maps MapSource
	// Fits decides whether an existing map may be used in the place of m, nil for [MapSpec.Compatible]. What it answers is the error of Load.
	Fits func(m *MapSpec, have *Map) error
	// Workers is how many programs are verified at once, 0 for as many as the process may use processors.
	Workers int
	// LogLevel is that of the verifier's log about a program that it refuses (see [VerifierError]): 1 or 0 for the paths that led to the
	// refusal, 2 for all paths, and 4 in addition for statistics. A program that is accepted has no log.
	LogLevel uint32
	// KernelTypes are what accesses that are to be fitted to the kernel (CO-RE) are fitted to, and where the functions and hooks are found that fentry, fexit, LSM and
	// tp_btf programs and iterators are for, if they are not for another program ([ProgramSpec.AttachProgram]); with them, externs of .ksyms are looked up too.
	// They stay the caller's. Most give [RunningKernel]'s; nil is for objects without all that: see [Spec.NeedsKernelTypes].
	KernelTypes *KernelTypes
	// Kconfig is the kernel's configuration, for objects with externs of .kconfig: see [Spec.NeedsKconfig]. Most give [RunningKconfig]'s.
	Kconfig *Kconfig
	// Token is what a process without rights of its own loads with, nil for others. It stays the caller's. See [CreateToken].
	Token *Token
}

// MapSource finds maps that exist already. Package pinning has one, for maps that are pinned.
type MapSource interface {
	// ExistingMap returns the map to use in the place of m, or nil to have it created. The loader checks that it fits, and closes
	// it if it does not; else it becomes the Object's. What it holds is not touched: neither Data nor Slots are written to it.
	ExistingMap(m *MapSpec) (*Map, error)
}

// Load loads the object into the kernel: its BTF, all its maps, with the values that they begin with, and the programs that have
// Autoload set. Nothing is attached. Either all of it is loaded, or nothing stays and no descriptor is open. nil stands for the
// zero options.
//
// Programs are verified by several goroutines at once, all of which have ended when Load returns. What comes out does not depend
// on their number; the error is that of the first program, in the order of Programs, that cannot be loaded.
//
// The error is a [*sys.Error], and wraps
//
//   - [ErrUnsupported] if the object, or a program with Autoload, needs what this package cannot do: see [Spec.Unsupported];
//   - [ErrSpec] if the Spec was changed into something that cannot be loaded. The kernel has not been asked anything then;
//   - [ErrFormat] if the instructions or relocations of a program make no sense;
//   - [ErrMismatch], as a [*MismatchError], if an existing map does not fit;
//   - [ErrNoKernelTypes] if a program needs KernelTypes, and there are none;
//   - [ErrNoKconfig] if the object has externs of .kconfig, and there is no Kconfig;
//   - [ErrExtern] if an extern of .kconfig that is not weak has no value, or one that does not fit, or if a program needs a function, variable or symbol that the kernel has not, or has in another form;
//   - [ErrRelocation] if several types of the kernel could be meant by such an access, or its place does not fit the instruction;
//   - [ErrVerifier], as a [*VerifierError] with the log, if the verifier refuses a program. One reason is that an access is to what the kernel
//     has not, on a path that the program can take: the error's Access says so;
//   - the errno of the kernel: EPERM (the error names the capability), EMFILE, ENOMEM, E2BIG, EINVAL, ENOENT.
//
// It needs Linux 5.10, what the object uses may need a later one. A process without CAP_SYS_ADMIN needs CAP_BPF, for tracing also
// CAP_PERFMON, and for networking CAP_NET_ADMIN.
//
// Before Linux 5.11 the kernel counts maps and programs against RLIMIT_MEMLOCK, of which processes have little. If, and only if, the
// kernel refuses something for want of it, Load raises that limit to infinity and tries once more. The limit is the whole
// process's, is inherited by its children, and stays raised.
func (s *Spec) Load(opts *LoadOptions) (*Object, error) {
	l := loader{spec: s}
	if opts != nil {
		l.opts = *opts
	}
	o, err := l.load()
	if err != nil {
		return nil, sys.Fail("load object", text.Quote(s.Name), err, "")
	}
	return o, nil
}

// loader is one load. It owns what it has made until the end.
type loader struct {
	spec     *Spec
	opts     LoadOptions
	memlock  memlock
	fixes    typeFixes  // nil if there are no kernel types, or no program has anything to be fitted to them
	kconfig  []byte     // what the map of externs of .kconfig is to hold
	ksyms    ksymFixes  // nil if the object has none of .ksyms
	modules  []*sys.FD  // BTF of modules that is open
	targets  []target   // by index in spec.Programs; nil if no program is for something that BTF names
	btf      *sys.FD    // nil if the object has no BTF, or the kernel has refused it
	maps     []*Map     // by index in spec.Maps; nil while there is none
	reused   []bool     // by index in spec.Maps: the map existed before
	programs []*Program // by index in spec.Programs; nil if not loaded
	license  sys.Pointer

	withoutBTF error // why the kernel has refused the object's BTF

	fdArray []int32 // of the modules that externs are of; the first is 0, for the kernel itself; nil if there are none
}

func (l *loader) load() (*Object, error) {
	done := false
	defer func() {
		l.btf.Close()
		for _, m := range l.modules {
			m.Close()
		}
		if !done {
			l.unwind()
		}
	}()
	l.maps = make([]*Map, len(l.spec.Maps))
	l.reused = make([]bool, len(l.spec.Maps))
	l.programs = make([]*Program, len(l.spec.Programs))
	for _, step := range [...]func(*loader) error{
		(*loader).check,
		(*loader).fitTypes,
		(*loader).readKconfig,
		(*loader).loadBTF,
		(*loader).makeMaps,
		(*loader).fillData,
		(*loader).fillMapSlots,
		(*loader).loadPrograms,
		(*loader).fillProgramSlots,
	} {
		if err := step(l); err != nil {
			if l.withoutBTF != nil {
				return nil, sys.Fail("go on without BTF", text.Form("({})").Add(l.withoutBTF.Error()).String(), err, "")
			}
			return nil, err
		}
	}
	done = true
	return l.object(), nil
}

// object hands over what was made.
func (l *loader) object() *Object {
	programs := make([]*Program, 0, len(l.programs))
	for _, p := range l.programs {
		if p != nil {
			programs = append(programs, p)
		}
	}
	o := NewObject(l.spec.Name, l.maps, programs, nil)
	o.spec, o.withoutBTF = l.spec, l.withoutBTF
	return o
}

// unwind closes everything that was made. That is reported by nobody: the error that led here matters more.
func (l *loader) unwind() {
	for _, p := range l.programs {
		if p != nil {
			p.Close()
		}
	}
	for _, m := range l.maps {
		if m != nil {
			m.Close()
		}
	}
}

// ErrSpec says that a Spec, as it was changed by its user, cannot be loaded.
var ErrSpec = errors.New("object: the spec cannot be loaded")

// badSpec says what is wrong with a Spec.
//
//go:noinline
func badSpec(what string) error { return &problem{ErrSpec, what} }
