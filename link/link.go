package link

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// Attacher is a kind of attachment with its target: [Cgroup], [XDP], [TCX], [Netns], [RawTracepoint], [Tracing], [Tracepoint],
// [PerfEvent], [Iter] and whatever a caller adds.
type Attacher interface {
	// Attach attaches a program. The program stays the caller's: it may be closed, the link holds a reference of its own.
	Attach(program *sys.FD) (*Link, error)
}

// Placed is an [Attacher] that can tell whether a link is attached where it would attach a program. The kinds that can be updated are.
type Placed interface {
	At(info *Info) bool
}

// Link is a program's attachment to a hook. It owns a file descriptor; there is no finalizer.
type Link struct {
	fd    *sys.FD
	event *Info // what is attached, for a perf event that has no kernel link
	kind  sys.LinkType
	id    uint32
}

// newLink takes over what a system call that makes a link gave.
func newLink(fd *sys.FD, err error) (*Link, error) {
	if err != nil {
		return nil, err
	}
	var info sys.LinkInfo
	if _, err := sys.GetInfo(fd, &info); err != nil {
		fd.Close()
		return nil, err
	}
	return &Link{fd: fd, kind: info.Type, id: info.ID}, nil
}

// FromFD makes a link of a descriptor that was opened from a pin or by id. It takes fd over, and closes it if it gives an error: [ErrNotLink]
// for a descriptor of anything else.
func FromFD(fd *sys.FD) (*Link, error) {
	l, err := fromFD(fd)
	if err != nil {
		fd.Close()
		return nil, sys.Fail("open link", "", err, "")
	}
	return l, nil
}

func fromFD(fd *sys.FD) (*Link, error) {
	if fd.Int() < 0 {
		return nil, sys.ErrClosed
	}
	kind, id, err := sys.KindOf(fd)
	if err != nil {
		return nil, reason(ErrNotLink, err)
	}
	// BTF tells as many bytes about itself as a link does on Linux 5.10, but has no id where a link has its own.
	if kind != sys.KindLink || id == 0 {
		return nil, ErrNotLink
	}
	return newLink(fd, nil)
}

// FD gives the link's descriptor, which stays the link's: do not close it. It is that of a perf event if the link is not [Link.Pinnable].
func (l *Link) FD() *sys.FD { return l.fd }

// ID gives the kernel's id of the link: unique until reboot, kept after Close. It is 0 if the link is not [Link.Pinnable].
func (l *Link) ID() uint32 { return l.id }

// Type gives the kernel's kind of link.
func (l *Link) Type() sys.LinkType { return l.kind }

// Pinnable tells whether the kernel has an object that a pin could keep. It has none for perf events and tracepoints before
// Linux 5.15: there the attachment ends with Close, or with the process.
func (l *Link) Pinnable() bool { return l.event == nil }

// Close closes the descriptor. The program is detached if no pin and no other descriptor holds the link, though not at once: the
// kernel frees links on a work queue. Closing once more does nothing.
func (l *Link) Close() error { return l.fd.Close() }

func (l *Link) closed() bool { return l.fd.Int() < 0 }

// String gives "link 12 (cgroup)".
func (l *Link) String() string {
	return text.Form("link {} ({})").Uint(uint64(l.id)).Add(l.kind.String()).String()
}

// fail makes the error of an operation on the link.
func (l *Link) fail(op string, err error, do string) error {
	return sys.Fail(op, l.String(), err, do)
}

// anyClosed tells whether one of the descriptors is closed or missing, which the kernel would answer with a bare EBADF. A copy of it in
// every kind would make a binary larger for calls that are rare.
//
//go:noinline
func anyClosed(fds ...*sys.FD) bool {
	for _, fd := range fds {
		if fd.Int() < 0 {
			return true
		}
	}
	return false
}

// inode gives a file's inode number, 0 if it cannot be had.
func inode(fd *sys.FD) uint64 {
	var st unix.Stat_t
	if unix.Fstat(fd.Int(), &st) != nil {
		return 0
	}
	return st.Ino
}
