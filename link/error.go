package link

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Reasons that errors of this package wrap beside the errno.
var (
	// ErrNotLink: the descriptor is of something else.
	ErrNotLink = errors.New("not a BPF link")
	// ErrNotCgroup2: the directory is not in a version 2 cgroup hierarchy.
	ErrNotCgroup2 = errors.New("not a cgroup2 directory")
	// ErrChanged: the link does not run the program that was to be replaced.
	ErrChanged = errors.New("the link runs another program than expected")
	// ErrNoUpdate: this kind of link keeps its program for life.
	ErrNoUpdate = errors.New("this kind of link cannot change its program")
	// ErrNoDetach: this kind of link ends only when nothing holds it any more.
	ErrNoDetach = errors.New("this kind of link cannot be detached")
	// ErrDefunct: what the link was attached to is gone, or the link was detached.
	ErrDefunct = errors.New("the link is attached to nothing any more")
)

// seen is one of the errors above with the errno that it was seen by.
type seen struct{ is, errno error }

//go:noinline
func reason(is, errno error) error { return &seen{is, errno} }

func (s *seen) Error() string   { return s.is.Error() + ": " + s.errno.Error() }
func (s *seen) Unwrap() []error { return []error{s.is, s.errno} }

// advise says what to do about the answers that mean the same for all kinds. kernel is the first Linux that has the kind, capability
// what attaching takes beside CAP_BPF.
//
//go:noinline
func advise(err error, kernel, capability string) string {
	switch errno, _ := err.(unix.Errno); errno {
	case unix.EPERM, unix.EACCES:
		return "needs CAP_BPF and " + capability + ", or CAP_SYS_ADMIN"
	case unix.EINVAL, unix.E2BIG:
		return "the program's type or attach type does not fit, or an option needs a newer kernel; the kind needs Linux " + kernel
	case unix.EMFILE:
		return "raise the limit of open files: ulimit -n"
	case unix.EOPNOTSUPP:
		return "this kernel was built without it, or the target has no such hook"
	}
	return ""
}
