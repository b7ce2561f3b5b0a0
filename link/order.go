package link

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// Order is a program's place among those at the same hook. The zero Order is the last place. TCX has it from Linux 6.6, cgroups
// from 6.17; an older kernel answers EINVAL to any but the zero one.
type Order struct {
	flags   uint32
	link    *Link
	program uint32
}

// First is the place before all others.
func First() Order { return Order{flags: unix.BPF_F_BEFORE} }

// Before is the place just before that of another link to the same hook. If l is not there, Attach answers ENOENT for TCX, EINVAL for cgroups.
func Before(l *Link) Order { return Order{flags: unix.BPF_F_BEFORE | unix.BPF_F_LINK, link: l} }

// After is the place just after that of another link, as [Before].
func After(l *Link) Order { return Order{flags: unix.BPF_F_AFTER | unix.BPF_F_LINK, link: l} }

// BeforeProgram is the place just before that of a program, attached by link or without. TCX only: a cgroup orders links by links (EINVAL). Attach
// answers ENOENT if the program is not there.
func BeforeProgram(id uint32) Order {
	return Order{flags: unix.BPF_F_BEFORE | unix.BPF_F_ID, program: id}
}

// AfterProgram is the place just after that of a program, as [BeforeProgram].
func AfterProgram(id uint32) Order {
	return Order{flags: unix.BPF_F_AFTER | unix.BPF_F_ID, program: id}
}

// apply writes the order to an attribute. It is sys.ErrClosed if the other link is closed.
func (o Order) apply(attr *sys.LinkCreateRelativeAttr) error {
	attr.Flags |= o.flags
	attr.RelativeFD = o.program
	if o.link == nil {
		return nil
	}
	if o.link.closed() {
		return sys.ErrClosed
	}
	attr.RelativeFD = o.link.fd.Attr()
	return nil
}

// advice says what the answers mean that only ordered hooks give.
func (o Order) advice(err error) string {
	errno, _ := err.(unix.Errno)
	switch {
	case errno == unix.ENOENT, errno == unix.EINVAL && (o.link != nil || o.program != 0):
		return "the link or program to be ordered by is not at this hook, or the kernel cannot order this hook: TCX needs Linux 6.6, a cgroup 6.17"
	case errno == unix.ESTALE:
		return "the hook's list has another revision: query it again"
	case errno == unix.ERANGE, errno == unix.E2BIG:
		return "the hook's list is full"
	}
	return ""
}
