package btf

import (
	"errors"

	"github.com/pinion-bpf/pinion/internal/text"
)

// What an [Error] is about, for [errors.Is].
var (
	// ErrFormat says that the bytes are not BTF, or not .BTF.ext, that this package can trust. Rebuild the object, or look for
	// what cut or changed the file.
	ErrFormat = errors.New("btf: malformed")
	// ErrNoSize says that a type has no size that fits in 32 bits.
	ErrNoSize = errors.New("btf: no size")
	// ErrAmbiguous says that several types of the kernel could be meant, and that it matters which. Tell them apart by a flavor or another field.
	ErrAmbiguous = errors.New("btf: ambiguous")
	// ErrLimit says that something is larger, or more entangled, than what any compiler makes.
	ErrLimit = errors.New("btf: too large")
	// ErrEdit says that an edit was refused. Edit a [Data.Copy], and only what the type's kind has.
	ErrEdit = errors.New("btf: cannot edit")
)

// An Error tells what is wrong, and where. It wraps one of the errors above.
type Error struct {
	Err    error  // one of those above
	Ext    bool   // the offset is one in .BTF.ext, not in .BTF
	Offset uint32 // where, in bytes from the start of the blob; of a type, its first byte
	ID     ID     // the type concerned, 0 if none is
	Reason string // what is wrong there
}

// Error returns one line: the sentinel's text, the place, and the reason.
func (e *Error) Error() string {
	s := ErrFormat.Error()
	if e.Err != nil {
		s = e.Err.Error()
	}
	s += ": "
	if e.Ext {
		s += ".BTF.ext "
	}
	if e.ID != 0 {
		s += text.Form("type {} at ").Uint(uint64(e.ID)).String()
	}
	return text.Form("{}byte {}: {}").Add(s).Uint(uint64(e.Offset)).Add(e.Reason).String()
}

// Unwrap returns the sentinel.
func (e *Error) Unwrap() error { return e.Err }
