package object_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
)

// TestRunningKernelOnDisk: of a kernel that does not tell its types they are taken from a vmlinux, in each place where libbpf looks, and accesses are fitted to them.
func TestRunningKernelOnDisk(t *testing.T) {
	testenv.PrivateMounts(t)
	release, err := testenv.Release()
	check(t, err)
	raw, err := os.ReadFile("/sys/kernel/btf/vmlinux")
	check(t, err)
	vmlinux := (&image{parts: []part{{name: ".BTF", data: raw}}}).bytes()
	for _, dir := range []string{"/sys/kernel/btf", "/boot", "/lib/modules", "/usr/lib/modules", "/usr/lib/debug"} {
		check(t, os.MkdirAll(dir, 0o755))
		check(t, unix.Mount("tmpfs", dir, "tmpfs", 0, ""))
	}
	_, err = object.RunningKernel()
	wantError(t, err, unix.ENOENT, "/sys/kernel/btf/vmlinux", "vmlinux-"+release+" in /boot")

	const spoilt = "/usr/lib/debug/boot/vmlinux-"
	for _, place := range []string{
		"/boot/vmlinux-" + release,
		"/lib/modules/" + release + "/vmlinux-" + release,
		"/lib/modules/" + release + "/build/vmlinux",
		"/usr/lib/modules/" + release + "/kernel/vmlinux",
		"/usr/lib/debug/boot/vmlinux-" + release,
		"/usr/lib/debug/boot/vmlinux-" + release + ".debug",
		"/usr/lib/debug/lib/modules/" + release + "/vmlinux",
	} {
		check(t, os.MkdirAll(filepath.Dir(place), 0o755))
		check(t, os.WriteFile(place, (&image{}).bytes(), 0o600))
		_, err := object.RunningKernel()
		wantError(t, err, object.ErrFormat, place, "no section .BTF")
		check(t, os.WriteFile(place, vmlinux, 0o600))
		types := runningKernel(t)
		o := loadSpec(t, open(t, "core_kinds"), &object.LoadOptions{KernelTypes: types})
		run(t, o, "read_task", 0)
		wantVariables(t, o, map[string]uint64{"tgid": uint64(os.Getpid())})
		check(t, os.Remove(place))
	}

	// One that is spoilt does not hide one that is not.
	check(t, os.WriteFile("/boot/vmlinux-"+release, vmlinux[:1000], 0o600))
	check(t, os.WriteFile(spoilt+release, vmlinux, 0o600))
	types := runningKernel(t)

	// What programs are for is asked of the kernel alone.
	_, err = open(t, "iter").Load(&object.LoadOptions{KernelTypes: types})
	wantError(t, err, unix.ENOENT, "/sys/kernel/btf/vmlinux", "CONFIG_DEBUG_INFO_BTF")
}
