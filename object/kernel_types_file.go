package object

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// maxVmlinux is the size in bytes of the largest vmlinux that is looked into: with all its debug information it can have hundreds of megabytes. It is mapped, and little of it is read.
const maxVmlinux = 2<<30 - 1<<16

// typesOnDisk finds the types of the kernel that runs in a vmlinux, for a kernel that does not tell them itself. The places are libbpf's (btf__load_vmlinux_btf). The
// error is ENOENT if there is no file that has types.
func typesOnDisk() (*KernelTypes, error) {
	release, _, err := kernelRelease()
	if err != nil {
		return nil, sys.Fail("ask for", "the kernel's release", err, "")
	}
	var unfit error // why a file that is there is of no use
	for _, place := range [...][2]string{
		{"/boot/vmlinux-", ""},
		{"/lib/modules/", "/vmlinux-" + release},
		{"/lib/modules/", "/build/vmlinux"},
		{"/usr/lib/modules/", "/kernel/vmlinux"},
		{"/usr/lib/debug/boot/vmlinux-", ""},
		{"/usr/lib/debug/boot/vmlinux-", ".debug"},
		{"/usr/lib/debug/lib/modules/", "/vmlinux"},
	} {
		path := place[0] + release + place[1]
		k, err := openVmlinux(path)
		if err == nil {
			return k, nil
		}
		if !isAbsent(err) && unfit == nil {
			unfit = sys.Fail("read the kernel's types", path, err, "")
		}
	}
	do := text.Form("the kernel has no BTF of its own (CONFIG_DEBUG_INFO_BTF, and a mounted /sys), and there is no vmlinux-{} in /boot or where debug packages put it; give types from a file").
		Add(release).String()
	if unfit == nil {
		unfit = unix.ENOENT
	}
	return nil, sys.Fail("read the kernel's types", kernelTypesPath, unfit, do)
}

func isAbsent(err error) bool { return err == unix.ENOENT || err == unix.ENOTDIR }

// openVmlinux reads the types that a vmlinux has.
func openVmlinux(path string) (*KernelTypes, error) {
	memory, length, err := mapTypes(path, maxVmlinux)
	if err != nil {
		return nil, err
	}
	k := &KernelTypes{memory: memory}
	raw, err := kernelBTFIn(memory[:length])
	if err == nil {
		k.types, err = btf.Parse(raw)
	}
	if err != nil {
		k.Close()
		return nil, &problem{ErrFormat, err.Error()}
	}
	return k, nil
}

// openRunningTypes opens the types of the kernel that runs, from wherever they are.
func openRunningTypes() (*KernelTypes, error) {
	k, err := openKernelTypes()
	if errors.Is(err, unix.ENOENT) {
		return typesOnDisk()
	}
	if err != nil {
		return nil, sys.Fail("read the kernel's types", kernelTypesPath, err, "the kernel needs CONFIG_DEBUG_INFO_BTF and a mounted /sys; or give types from a file")
	}
	return k, nil
}
