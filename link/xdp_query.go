package link

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// QueryXDP tells which programs run on an interface of the calling thread's network namespace: one, or one in the driver and one on the
// device; none gives an empty slice. The Flags of each are its [XDPMode]. bpf(2) cannot say it, so rtnetlink is asked; that needs
// no privilege.
func QueryXDP(ifindex int) ([]Attachment, error) {
	reply, err := linkMessage(ifindex)
	if err != nil {
		return nil, sys.Fail("query XDP", interfaceThing(ifindex), err, interfaceAdvice(err, "4.13"))
	}
	return xdpPrograms(reply), nil
}

// xdpPrograms reads the attributes of an RTM_NEWLINK message. Each has its length and kind in 16 bits each, then its value, padded to 4
// bytes; the value of IFLA_XDP is attributes again, and what follows it is of no interest.
func xdpPrograms(attrs []byte) (found []Attachment) {
	nested := false
	for len(attrs) >= unix.SizeofRtAttr {
		size := int(binary.NativeEndian.Uint16(attrs))
		if size < unix.SizeofRtAttr || size > len(attrs) {
			return found
		}
		kind := binary.NativeEndian.Uint16(attrs[2:]) &^ unix.NLA_F_NESTED
		value := attrs[unix.SizeofRtAttr:size]
		if kind == unix.IFLA_XDP && !nested {
			nested, attrs = true, value
			continue
		}
		if mode := xdpMode(kind); nested && mode != 0 && len(value) == 4 {
			found = append(found, Attachment{ProgramID: binary.NativeEndian.Uint32(value), Flags: uint32(mode)})
		}
		attrs = attrs[min(len(attrs), (size+3)&^3):]
	}
	return found
}

// xdpMode gives the mode of the program whose id an attribute holds, 0 for other attributes.
func xdpMode(kind uint16) XDPMode {
	switch kind {
	case unix.IFLA_XDP_DRV_PROG_ID:
		return XDPDriver
	case unix.IFLA_XDP_SKB_PROG_ID:
		return XDPGeneric
	case unix.IFLA_XDP_HW_PROG_ID:
		return XDPOffload
	}
	return 0
}

// linkMessage asks rtnetlink about an interface and gives the attributes of the answer.
func linkMessage(ifindex int) ([]byte, error) {
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	defer unix.Close(socket)

	var request struct {
		unix.NlMsghdr
		unix.IfInfomsg
	}
	const size = int(unsafe.Sizeof(request))
	request.NlMsghdr = unix.NlMsghdr{Len: uint32(size), Type: unix.RTM_GETLINK, Flags: unix.NLM_F_REQUEST}
	request.Index = int32(ifindex)
	// A datagram without an address goes to the kernel, which answers at once, in a few kilobytes.
	if _, err := unix.Write(socket, unsafe.Slice((*byte)(unsafe.Pointer(&request)), size)); err != nil {
		return nil, err
	}
	reply := make([]byte, 32<<10)
	n, err := unix.Read(socket, reply)
	if err != nil {
		return nil, err
	}
	return linkAttributes(reply[:n])
}

// linkAttributes gives what follows the two headers of an RTM_NEWLINK message, or the error that came in its place.
func linkAttributes(reply []byte) ([]byte, error) {
	const headers = unix.SizeofNlMsghdr + unix.SizeofIfInfomsg
	if len(reply) < headers {
		return nil, unix.EBADMSG
	}
	switch binary.NativeEndian.Uint16(reply[4:]) {
	case unix.RTM_NEWLINK:
		return reply[headers:], nil
	case unix.NLMSG_ERROR:
		return nil, unix.Errno(-int32(binary.NativeEndian.Uint32(reply[unix.SizeofNlMsghdr:])))
	}
	return nil, unix.EBADMSG
}
