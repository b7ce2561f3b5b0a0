package link

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// Ifindex gives the index of a network interface by its name, in the calling thread's network namespace. The error wraps ENODEV if
// there is none.
func Ifindex(name string) (int, error) {
	index, err := ifindex(name)
	if err != nil {
		return 0, sys.Fail("find interface", name, err, "")
	}
	return index, nil
}

func ifindex(name string) (int, error) {
	// The kernel would cut the name at either (dev_ioctl in net/core/dev_ioctl.c) and find another interface.
	if text.Has(name, '\x00') || text.Has(name, ':') {
		return 0, unix.ENODEV
	}
	req, err := unix.NewIfreq(name)
	if err != nil {
		return 0, unix.ENODEV
	}
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(socket)
	if err := unix.IoctlIfreq(socket, unix.SIOCGIFINDEX, req); err != nil {
		return 0, err
	}
	return int(req.Uint32()), nil
}

// interfaceThing names an interface in an error.
func interfaceThing(ifindex int) string { return text.Form("interface {}").Int(ifindex).String() }

// interfaceAdvice is advise for the kinds that attach to an interface.
func interfaceAdvice(err error, kernel string) string {
	if err == unix.ENODEV {
		return "no interface has this index in the thread's network namespace"
	}
	return advise(err, kernel, "CAP_NET_ADMIN")
}
