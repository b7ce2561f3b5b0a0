package object

import (
	"errors"
	"strconv"

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
func malformed(what string) error { return &problem{ErrFormat, what} }

// unsupported says what this package cannot do.
func unsupported(what string) error { return &problem{ErrUnsupported, what} }

// parseError says which object could not be read.
func parseError(name string, err error) error {
	do := "rebuild the object, or look for what changed the file"
	if errors.Is(err, ErrUnsupported) {
		do = ""
	}
	return &sys.Error{Op: "parse", Thing: quote(name), Err: err, Do: do}
}

// quote makes a name from a file fit for a message: printable, and short.
func quote(name string) string {
	const most = 64
	if len(name) > most {
		return strconv.Quote(name[:most]) + "..."
	}
	return strconv.Quote(name)
}

func utoa[N uint32 | uint64 | int64 | int | int32](n N) string {
	if n < 0 {
		return strconv.FormatInt(int64(n), 10)
	}
	return strconv.FormatUint(uint64(n), 10)
}
