//go:build linux

package pinning

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// What errors of a [Root] wrap, beside [ErrConflict], [ErrName], [ErrOverride], [ErrRecord] and the errno.
var (
	// ErrNotBPFFS: the root is not a directory of a mounted bpffs.
	ErrNotBPFFS = errors.New("pinning: not on a bpffs")
	// ErrExist: an object, or something at an override's path, is pinned there already.
	ErrExist = errors.New("pinning: already pinned")
	// ErrNotExist: nothing of that name is pinned.
	ErrNotExist = errors.New("pinning: not pinned")
	// ErrDifferent: the object that is pinned was loaded from another file, or with other settings.
	ErrDifferent = errors.New("pinning: pinned from another build")
	// ErrForeign: something is there that Pinion did not make, and so neither follows, nor replaces, nor removes.
	ErrForeign = errors.New("pinning: not Pinion's own")
	// ErrDrift: a pin is not what the record says: it was removed or replaced behind Pinion's back.
	ErrDrift = errors.New("pinning: pins differ from the record")
	// ErrBusy: another process is changing the same object, and did not end within Options.Wait.
	ErrBusy = errors.New("pinning: busy")
	// ErrAttached: the pins of a link are gone, but something else keeps it attached: a descriptor in some process, or a pin elsewhere.
	ErrAttached = errors.New("pinning: still attached")
	// ErrUnpinnable: the kernel has nothing that could be pinned: a tracepoint's or perf event's link before Linux 5.15.
	ErrUnpinnable = errors.New("pinning: cannot be pinned")
)

// because is a sentinel with the particulars: what was found, or the errno.
type because struct {
	is   error
	what string
	err  error // nil, or what the kernel said
}

func (b because) Error() string {
	s := b.is.Error()
	if b.what != "" {
		s += ": " + b.what
	}
	if b.err != nil {
		s += ": " + b.err.Error()
	}
	return s
}

func (b because) Unwrap() []error {
	if b.err == nil {
		return []error{b.is}
	}
	return []error{b.is, b.err}
}

// fail makes an error of this package: what was done to which path, why not, and what to do. "" stands for what can be said about the errno.
func fail(op, thing string, err error, do string) error {
	if errno, bare := err.(unix.Errno); bare && do == "" {
		do = adviseErrno(errno)
	}
	return &sys.Error{Op: op, Thing: thing, Err: err, Do: do}
}

// adviseErrno says what to do about the errnos that a full or closed machine gives.
func adviseErrno(errno unix.Errno) string {
	switch errno {
	case unix.EPERM, unix.EACCES:
		return "needs CAP_BPF or CAP_SYS_ADMIN, and the right to write to the root"
	case unix.ENOSPC, unix.ENOMEM:
		return "the kernel has no memory left for it"
	case unix.EMFILE:
		return "raise the limit of open files: ulimit -n"
	case unix.EROFS:
		return "the bpffs is mounted read-only"
	}
	return ""
}
