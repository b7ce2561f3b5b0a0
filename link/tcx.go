package link

import (
	"github.com/pinion-bpf/pinion/sys"
)

// TCX attaches a classifier program (type sched_cls) to an interface's ingress or egress, beside what else is attached there. Linux 6.6.
type TCX struct {
	Ifindex    int            // in the calling thread's network namespace, see [Ifindex]
	AttachType sys.AttachType // AttachTypeTCXIngress or AttachTypeTCXEgress
	Order      Order          // its place among the others

	// ExpectedRevision, if not 0, is the revision that the hook's list must have, else ESTALE. [QueryTCX] gives it.
	ExpectedRevision uint64
}

// Attach makes a TCX link. It needs CAP_BPF and CAP_NET_ADMIN.
func (t TCX) Attach(program *sys.FD) (*Link, error) {
	l, err := t.create(program)
	if err != nil {
		return nil, sys.Fail("attach to "+t.AttachType.String(), interfaceThing(t.Ifindex), err, t.advice(err))
	}
	return l, nil
}

// At implements [Placed]. Interfaces are compared by their index alone, which two network namespaces may both have.
func (t TCX) At(info *Info) bool {
	return info.Type == sys.LinkTypeTCX && info.AttachType == t.AttachType && info.Ifindex == t.Ifindex
}

func (t TCX) create(program *sys.FD) (*Link, error) {
	if anyClosed(program) {
		return nil, sys.ErrClosed
	}
	attr := sys.LinkCreateRelativeAttr{
		ProgFD:           program.Attr(),
		TargetFD:         uint32(t.Ifindex),
		AttachType:       t.AttachType,
		ExpectedRevision: t.ExpectedRevision,
	}
	if err := t.Order.apply(&attr); err != nil {
		return nil, err
	}
	return newLink(sys.LinkCreateRelative(&attr))
}

func (t TCX) advice(err error) string {
	if do := t.Order.advice(err); do != "" {
		return do
	}
	return interfaceAdvice(err, "6.6")
}
