package object

import (
	"errors"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// What an error of reading an object is about, for errors.Is.
var (
	// ErrFormat says that the bytes are no BPF object that can be trusted, or define something wrongly. Errors of package elf
	// stand beside it: they have their own ErrFormat.
	ErrFormat = errors.New("object: malformed")
	// ErrUnsupported says that an object, or the part of it to be loaded, needs what this package cannot do. [Spec.Unsupported]
	// lists it.
	ErrUnsupported = errors.New("object: not supported")
)

// A problem is what is wrong with an object, and is the sentinel too.
type problem struct {
	kind error // ErrFormat or ErrUnsupported
	what string
}

func (p *problem) Error() string { return p.kind.Error() + ": " + p.what }
func (p *problem) Unwrap() error { return p.kind }

// malformed says what is wrong with the file.
//
//go:noinline
func malformed(what string) error { return &problem{ErrFormat, what} }

// unsupported says what this package cannot do.
//
//go:noinline
func unsupported(what string) error { return &problem{ErrUnsupported, what} }

// parseError says which object could not be read.
//
//go:noinline
func parseError(name string, err error) error {
	do := "rebuild the object, or look for what changed the file"
	if errors.Is(err, ErrUnsupported) {
		do = ""
	}
	return sys.Fail("parse", text.Quote(name), err, do)
}
