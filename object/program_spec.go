package object

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// ProgramSpec is a program as the object describes it: a global function in a section of its own kind. All but Name and Section
// may be changed before the Spec is loaded.
type ProgramSpec struct {
	// Name of the C function.
	Name string
	// Section that it is in, without the "?" that turns Autoload off.
	Section string
	// Type and AttachType as the section's name says (libbpf's table). A section that the table does not have gives ProgTypeUnspec, and
	// Autoload is off then: set Type, AttachType if that type wants one, and Autoload to load such a program. [Spec.Unsupported] names it until Type is set.
	Type       sys.ProgType
	AttachType sys.AttachType
	// AttachTo is the text after the section's name, where that may have one: "sys_enter" in "raw_tp/sys_enter",
	// "sched/sched_switch" in "tp/sched/sched_switch". What tracing and LSM programs are for is looked for in the kernel, then in its modules [5.11];
	// "module:function" is looked for in that module, or in the kernel if that is called vmlinux.
	AttachTo string
	// AttachProgram is the program that has the function AttachTo, for one that replaces it (freplace), or traces it (fentry, fexit). It stays the caller's, and is used by
	// Load only; it must have been loaded with BTF. Looking at that needs CAP_SYS_ADMIN.
	AttachProgram *Program
	// Flags are the prog_flags of BPF_PROG_LOAD: BPF_F_SLEEPABLE [5.10] or BPF_F_XDP_HAS_FRAGS [5.18] where the section asks for it.
	Flags uint32
	// Autoload says whether the program is loaded with the object; at first false if the section begins with "?", or is none that the table has.
	Autoload bool
	// Autoattach says whether Attach attaches the program; at first true if the section says where to.
	Autoattach bool

	source   *source
	row      *sectionRow // nil if the section is not in the table
	function int32       // index in source.functions
}

// Instructions returns how many instructions of 8 bytes the program's own function has; those of subprograms are not counted.
func (p *ProgramSpec) Instructions() int { return int(p.source.functions[p.function].count) }

// programOf returns the program whose function has an index in source.functions, nil if that is none. They may have been put in another order.
func (s *Spec) programOf(function int32) *ProgramSpec {
	f := &s.source.functions[function]
	if !f.entry {
		return nil
	}
	if n := int(f.program); n < len(s.Programs) && s.Programs[n] != nil && s.Programs[n].function == function {
		return s.Programs[n]
	}
	for _, p := range s.Programs {
		if p != nil && p.function == function {
			return p
		}
	}
	return nil
}

// readPrograms makes a program of every function in a program section.
func (s *Spec) readPrograms() error {
	src := s.source
	n := 0
	for i := range src.functions {
		if src.functions[i].entry {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	specs := make([]ProgramSpec, 0, n)
	s.Programs = make([]*ProgramSpec, n)
	for i := range src.functions {
		if f := &src.functions[i]; f.entry {
			f.program = int32(len(specs))
			specs = specs[:len(specs)+1]
			s.Programs[f.program] = &specs[f.program]
			src.setProgram(s.Programs[f.program], i)
		}
	}
	if i, j := twin(n, func(i int) string { return specs[i].Name }); i >= 0 {
		return malformed(text.Form("two programs are called {}, one in section {}, one in section {}").
			Quote(specs[i].Name).Quote(specs[i].Section).Quote(specs[j].Section).String())
	}
	return nil
}

// setProgram makes p what the section of a function says of it.
func (src *source) setProgram(p *ProgramSpec, index int) {
	f := &src.functions[index]
	section, optional := text.CutPrefix(src.file.Sections[f.section].Name, "?")
	row, target := matchSection(section)
	p.Name, p.Section, p.Autoload, p.source, p.function = f.name, section, !optional && row != nil, src, int32(index)
	if row == nil {
		return
	}
	p.row, p.Type, p.AttachType, p.AttachTo = row, row.progType, row.attachType, target
	f.structOps = row.progType == sys.ProgTypeStructOps
	p.Autoattach = row.attach != attachNone && target != ""
	if row.bits&sleepable != 0 {
		p.Flags |= unix.BPF_F_SLEEPABLE
	}
	if row.bits&frags != 0 {
		p.Flags |= unix.BPF_F_XDP_HAS_FRAGS
	}
}
