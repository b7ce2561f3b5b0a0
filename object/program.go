package object

import (
	"github.com/pinion-bpf/pinion/sys"
)

// Program is a program in the kernel. Closing it frees it unless it is attached or pinned.
type Program struct {
	name string
	id   uint32
	kind sys.ProgType
	tag  [8]byte
	fd   *sys.FD
}

// NewProgram makes a program of its descriptor and owns it from then on, also if it fails.
func NewProgram(name string, fd *sys.FD) (*Program, error) {
	var info sys.ProgInfo
	if _, err := sys.GetInfo(fd, &info); err != nil {
		fd.Close()
		return nil, sys.Fail("ask about program", name, err, "")
	}
	return &Program{name: name, id: info.ID, kind: info.Type, tag: info.Tag, fd: fd}, nil
}

// Name is the full name, that of the C function.
func (p *Program) Name() string { return p.name }

// FD is the program's descriptor, which the program keeps.
func (p *Program) FD() *sys.FD { return p.fd }

// ID is the kernel's number for the program, the same in every process as long as the program lives.
func (p *Program) ID() uint32 { return p.id }

// Type is the kind of program.
func (p *Program) Type() sys.ProgType { return p.kind }

// Tag is the kernel's digest of the instructions. Kernels differ in how they make it: compare only tags of one kernel.
func (p *Program) Tag() [8]byte { return p.tag }

// Close closes the descriptor. Closing once more does nothing.
func (p *Program) Close() error { return p.fd.Close() }
