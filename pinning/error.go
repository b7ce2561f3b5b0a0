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

// cause is a sentinel with the particulars: what was found, or the errno.
type cause struct {
	is   error
	what string
	err  error // nil, or what the kernel said
}

// because makes a cause. Like fail it is called in many places, each of which would be larger with it inlined.
//
//go:noinline
func because(is error, what string, err error) error { return &cause{is, what, err} }

func (c *cause) Error() string {
	s := c.is.Error()
	if c.what != "" {
		s += ": " + c.what
	}
	if c.err != nil {
		s += ": " + c.err.Error()
	}
	return s
}

func (c *cause) Unwrap() []error {
	if c.err == nil {
		return []error{c.is}
	}
	return []error{c.is, c.err}
}

// several are errors that came together, told in one line.
type several []error

// Error puts a semicolon between them.
func (s several) Error() string {
	var t string
	for i, err := range s {
		if i > 0 {
			t += "; "
		}
		t += err.Error()
	}
	return t
}

// Unwrap gives all of them.
func (s several) Unwrap() []error { return s }

// join is errors.Join of two, in one line.
//
//go:noinline
func join(err, also error) error {
	switch {
	case also == nil:
		return err
	case err == nil:
		return also
	}
	if s, are := err.(several); are {
		return append(s[:len(s):len(s)], also)
	}
	return several{err, also}
}

// fail makes an error of this package: what was done to which path, why not, and what to do. "" stands for what can be said about the errno.
//
//go:noinline
func fail(op, thing string, err error, do string) error {
	if errno, bare := err.(unix.Errno); bare && do == "" {
		do = adviseErrno(errno)
	}
	return sys.Fail(op, thing, err, do)
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
