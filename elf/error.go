package elf

import (
	"errors"

	"github.com/pinion-bpf/pinion/internal/text"
)

// What an [Error] is about, for [errors.Is].
var (
	// ErrFormat is in every error of this package: the bytes are not a 64-bit ELF file that can be trusted. Rebuild the file, or
	// look for what changed it.
	ErrFormat = errors.New("elf: malformed")
	// ErrTruncated says that the data ends before what its headers promise. Look for what cut the file short.
	ErrTruncated = errors.New("elf: truncated")
	// ErrClass says that the file is ELF, but not 64-bit. BPF objects always are: look whether it was built with -target bpf.
	ErrClass = errors.New("elf: not a 64-bit ELF")
)

// An Error tells what is wrong, and where. errors.Is finds [ErrFormat] in every one of them, and Err as well.
type Error struct {
	Err    error  // ErrFormat, ErrTruncated or ErrClass
	Where  string // the part concerned: "file header", "section header 3", "symbol 17 of .symtab"
	Offset uint64 // where that part is, in bytes from the start of the file
	What   string // what is wrong with it
}

// Error returns one line: the kind, the part, its place, and what is wrong.
func (e *Error) Error() string {
	kind := ErrFormat
	if e.Err != nil {
		kind = e.Err
	}
	return text.Form("{}: {} at byte {}: {}").Add(kind.Error()).Add(e.Where).Uint(e.Offset).Add(e.What).String()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is [ErrFormat], which every Error is, whatever it wraps.
func (e *Error) Is(target error) bool { return target == ErrFormat }

//go:noinline
func malformed(where string, offset uint64, what string) error {
	return &Error{Err: ErrFormat, Where: where, Offset: offset, What: what}
}

//go:noinline
func truncated(where string, offset uint64, what string) error {
	return &Error{Err: ErrTruncated, Where: where, Offset: offset, What: what}
}

// numbered names one of many parts of a file.
//
//go:noinline
func numbered(what string, i int) string { return text.Form("{} {}").Add(what).Int(i).String() }
