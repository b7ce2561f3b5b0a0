package kernels

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Program is one that can be started.
type Program struct {
	Path string
	Env  []string // that it needs, as K=V
}

// python is where virtme-ng's modules are in Debian's packages.
const python = "usr/lib/python3/dist-packages"

// virtme is virtme-ng, with all that it starts but QEMU and Python. It asks file which release an image is, and modprobe which modules it needs.
func virtme() toolset {
	libraries := []string{"libmagic1t64", "libmagic-mgc", "libbz2-1.0", "libcap-ng0", "libseccomp2", "libgcc-s1"}
	modules := []string{"python3-argcomplete", "python3-requests", "python3-urllib3", "python3-idna", "python3-chardet", "python3-certifi"}
	packages := []string{"virtme-ng", "virtiofsd", "busybox-static", "file"}
	return toolset{
		name:     "virtme-ng",
		packages: append(append(append(packages, kmod().packages...), libraries...), modules...),
		programs: append(kmod().programs, "usr/bin/file"),
		finish:   finishVirtme,
	}
}

// finishVirtme makes a tree of Debian's packages work on a machine without root and without udev.
func finishVirtme(root string) error {
	for _, name := range []string{"vng", "virtme-run"} {
		if err := writeScript(root, "bin/"+name, `exec python3 "$root/usr/bin/`+name+`" "$@"`); err != nil {
			return err
		}
	}
	// This is where virtme-ng looks first, so that it finds no other.
	if err := wrap(root, python+"/virtme/guest/bin/virtiofsd", "usr/libexec/virtiofsd"); err != nil {
		return err
	}
	// No link: virtme-ng asks file whether it is static.
	if err := os.Rename(filepath.Join(root, "usr/bin/busybox"), filepath.Join(root, "bin/busybox-static")); err != nil {
		return err
	}
	script := filepath.Join(root, python, "virtme/guest/virtme-init")
	text, err := os.ReadFile(script)
	if err != nil {
		return err
	}
	patched, err := namePorts(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", script, err)
	}
	return os.WriteFile(script, []byte(patched), 0o755)
}

// namePorts adds to virtme-init what udev does on other machines: without it, virtme-init does not find the ports for input and output, as the guest's root is
// the machine's, which may be a container's that has no udev.
func namePorts(script string) (string, error) {
	const before = "user_cmd=$(sed "
	const links = `mkdir -p /dev/virtio-ports
for port in /sys/class/virtio-ports/*/name; do
    device=${port%/name}
    [[ -e $port ]] && ln -sf "../${device##*/}" "/dev/virtio-ports/$(cat "$port")"
done

`
	if strings.Count(script, before) != 1 {
		return "", fmt.Errorf("it has no single line that begins with %q", before)
	}
	return strings.Replace(script, before, links+before, 1), nil
}

// VirtmeNG gives virtme-ng's vng: the machine's, if all is there that it needs, else Debian's from the cache, which is fetched like a kernel.
func (f Finder) VirtmeNG(ctx context.Context) (Program, error) {
	path := "/usr/sbin:/usr/bin:/sbin:/bin:" + os.Getenv("PATH") // Python of the machine's system, not of a user's
	if vng, ok := installedVirtme(); ok && !f.Refresh {
		return Program{vng, []string{"PATH=" + path}}, nil
	}
	const advice = "install virtme-ng, virtiofsd, busybox-static and udev, or run with the back end qemu"
	if _, err := exec.LookPath("python3"); err != nil {
		return Program{}, fmt.Errorf("virtme-ng is a Python program: install python3, or run with the back end qemu: %w", err)
	}
	s, err := f.search()
	if err != nil {
		return Program{}, err
	}
	defer s.close()
	root, err := s.tree(ctx, virtme())
	if err != nil {
		return Program{}, fmt.Errorf("virtme-ng is not installed with all that it needs, and could not be had: %w; %s", err, advice)
	}
	return Program{
		Path: filepath.Join(root, "bin", "vng"),
		Env: []string{
			"PATH=" + filepath.Join(root, "bin") + ":" + path,
			"PYTHONPATH=" + filepath.Join(root, python),
			"PYTHONDONTWRITEBYTECODE=1",
			"MAGIC=" + filepath.Join(root, "usr/lib/file/magic.mgc"),
		},
	}, nil
}

// installedVirtme gives the machine's vng, if the machine has all that it takes to run a kernel of Debian: the small ones cannot mount 9p, and Debian's init
// needs udev in the guest, whose root is the machine's.
func installedVirtme() (vng string, ok bool) {
	vng, err := exec.LookPath("vng")
	if err != nil {
		return "", false
	}
	for _, needed := range [][]string{
		{"virtiofsd", "/usr/libexec/virtiofsd"},
		{"/usr/lib/systemd/systemd-udevd", "/lib/systemd/systemd-udevd", "udevd"},
		{"busybox-static", "busybox.static", "busybox"},
		{"modprobe", "/usr/sbin/modprobe", "/sbin/modprobe"},
		{"file"},
	} {
		if !anyInstalled(needed) {
			return "", false
		}
	}
	return vng, true
}

func anyInstalled(programs []string) bool {
	for _, p := range programs {
		if _, err := exec.LookPath(p); err == nil {
			return true
		}
	}
	return false
}
