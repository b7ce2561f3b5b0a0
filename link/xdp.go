package link

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// XDPMode says where on a packet's way an XDP program runs.
type XDPMode uint32

// The modes of XDP.
const (
	XDPDefault XDPMode = 0                       // in the driver if it can, else generic
	XDPGeneric XDPMode = unix.XDP_FLAGS_SKB_MODE // after the kernel made a socket buffer: any interface, slower
	XDPDriver  XDPMode = unix.XDP_FLAGS_DRV_MODE // in the driver, which must support it
	XDPOffload XDPMode = unix.XDP_FLAGS_HW_MODE  // on the device, which the program must have been loaded for
)

// XDP attaches an XDP program to an interface. An interface has room for one program: EBUSY if something is attached.
type XDP struct {
	Ifindex int // in the calling thread's network namespace, see [Ifindex]
	Mode    XDPMode
}

// Attach makes an XDP link. It needs CAP_BPF and CAP_NET_ADMIN.
func (x XDP) Attach(program *sys.FD) (*Link, error) {
	if anyClosed(program) {
		return nil, x.fail(sys.ErrClosed, "")
	}
	l, err := newLink(sys.LinkCreate(&sys.LinkCreateAttr{
		ProgFD:     program.Attr(),
		TargetFD:   uint32(x.Ifindex),
		AttachType: sys.AttachTypeXDP,
		Flags:      uint32(x.Mode),
	}))
	if err != nil {
		return nil, x.refused(err)
	}
	return l, nil
}

// At implements [Placed]. Interfaces are compared by their index alone, which two network namespaces may both have.
func (x XDP) At(info *Info) bool { return info.Type == sys.LinkTypeXDP && info.Ifindex == x.Ifindex }

func (x XDP) fail(err error, do string) error {
	return sys.Fail("attach XDP program", interfaceThing(x.Ifindex), err, do)
}

// refused makes the error of what the kernel answered, which says little without a look at the interface.
func (x XDP) refused(err error) error {
	there, queryErr := QueryXDP(x.Ifindex)
	if err == unix.EINVAL && errors.Is(queryErr, unix.ENODEV) {
		err = unix.ENODEV // bpf_xdp_link_attach (net/core/dev.c) answers EINVAL
	}
	return x.fail(err, xdpAdvice(err, there))
}

func xdpAdvice(err error, there []Attachment) string {
	switch errno, _ := err.(unix.Errno); errno {
	case unix.EBUSY:
		return "an interface runs one XDP program, and this one runs " + occupant(there)
	case unix.EEXIST:
		return "generic and driver mode exclude each other: detach " + occupant(there)
	case unix.EOPNOTSUPP:
		return "the driver has no XDP of this mode: try XDPGeneric"
	}
	return interfaceAdvice(err, "5.9")
}

// occupant names what already is attached.
func occupant(there []Attachment) string {
	if len(there) == 0 {
		return "another"
	}
	return text.Form("program id {}").Uint(uint64(there[0].ProgramID)).String()
}
