package link

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// Netns attaches to a network namespace: programs of the types sk_lookup, beside what else is attached, and flow_dissector, of which there is
// one (E2BIG or EEXIST).
type Netns struct {
	FD         *sys.FD        // of a file like /proc/self/ns/net
	AttachType sys.AttachType // AttachTypeSKLookup or AttachTypeFlowDissector
}

// Attach makes a network namespace link. It needs CAP_BPF and CAP_NET_ADMIN.
func (n Netns) Attach(program *sys.FD) (*Link, error) {
	l, err := n.create(program)
	if err != nil {
		return nil, sys.Fail("attach to network namespace", n.AttachType.String(), err, netnsAdvice(err))
	}
	return l, nil
}

// At implements [Placed].
func (n Netns) At(info *Info) bool {
	return info.Type == sys.LinkTypeNetns && info.AttachType == n.AttachType && uint64(info.NetnsIno) == inode(n.FD)
}

func (n Netns) create(program *sys.FD) (*Link, error) {
	if anyClosed(program, n.FD) {
		return nil, sys.ErrClosed
	}
	return newLink(sys.LinkCreate(&sys.LinkCreateAttr{
		ProgFD:     program.Attr(),
		TargetFD:   n.FD.Attr(),
		AttachType: n.AttachType,
	}))
}

func netnsAdvice(err error) string {
	switch errno, _ := err.(unix.Errno); errno {
	case unix.E2BIG, unix.EEXIST:
		return "the namespace has no room for another program of this kind"
	case unix.EINVAL:
		return "FD is no network namespace, or the program's type does not fit"
	}
	return advise(err, "5.9", "CAP_NET_ADMIN")
}
