package main

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// checkDemoPrivileges says which capabilities the demo lacks, and what to run.
func checkDemoPrivileges() error {
	var have [2]unix.CapUserData
	if err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &have[0]); err != nil {
		return fmt.Errorf("ask for the process's capabilities: %w", err)
	}
	has := func(capability int) bool { return have[capability/32].Effective&(1<<(capability%32)) != 0 }
	var lacks []string
	if !has(unix.CAP_SYS_ADMIN) {
		lacks = append(lacks, "CAP_SYS_ADMIN (to mount a bpffs, and for bpf(2))")
	}
	if !has(unix.CAP_NET_ADMIN) {
		lacks = append(lacks, "CAP_NET_ADMIN (to attach to a cgroup's packets)")
	}
	if len(lacks) > 0 {
		return fmt.Errorf("the demo lacks %s: run it as root, sudo pinion demo", strings.Join(lacks, " and "))
	}
	return nil
}

// loopbackUp brings the loopback interface of a new network namespace up.
func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, lo)
}
