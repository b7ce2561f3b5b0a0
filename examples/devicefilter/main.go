// Command devicefilter decides which devices a cgroup's processes may open: it attaches a program of the type cgroup_device, as container
// runtimes do, in place of what is attached.
//
//	devicefilter /sys/fs/cgroup/box allow|deny
package main

import (
	"encoding/binary"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 || os.Args[2] != "allow" && os.Args[2] != "deny" {
		fmt.Fprintln(os.Stderr, "usage: devicefilter CGROUP allow|deny")
		os.Exit(2)
	}
	if err := Apply(os.Args[1], Decide(os.Args[2] == "allow")); err != nil {
		fmt.Fprintln(os.Stderr, "devicefilter:", err)
		os.Exit(1)
	}
}

// Decide gives the instructions of a program that answers the same to every access: r0 = allow; exit.
func Decide(allow bool) []byte {
	insns := make([]byte, 16)
	insns[0], insns[8] = 0xb7, 0x95
	if allow {
		binary.NativeEndian.PutUint32(insns[4:], 1)
	}
	return insns
}
