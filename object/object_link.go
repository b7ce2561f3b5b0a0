package object

import (
	"github.com/pinion-bpf/pinion/link"
)

// Link is one attachment of one of the object's programs. The embedded link has what can be done with it.
type Link struct {
	*link.Link
	program, target string
	carried         bool // it was there before the object, and AttachTo has not been asked for it yet
}

// NewLink names a link after its program and, where one program is attached to several things, after what it is attached to.
func NewLink(program, target string, l *link.Link) *Link {
	return &Link{Link: l, program: program, target: target}
}

// Program is the name of the program.
func (l *Link) Program() string { return l.program }

// Target tells the links of one program apart, "" where it has one.
func (l *Link) Target() string { return l.target }
