package object

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// ErrNoKconfig says that an object has externs of .kconfig, and that [LoadOptions] have no Kconfig.
var ErrNoKconfig = errors.New("object: the kernel's configuration is needed, and was not given")

// Kconfig is a kernel's configuration, as its file .config has it. [RunningKconfig] or [ParseKconfig] makes one, which any number of loads may share. What reads it is linked into a
// program only if it calls one of the two.
type Kconfig struct {
	text string
	fill func(k *Kconfig, s *Spec) ([]byte, error) // gives the value of the map of externs
}

// RunningKconfig reads the configuration of the kernel that runs from /boot/config-<release>, where distributions put it.
//
// The error is ENOENT if it is not there. Many kernels have it in /proc/config.gz, which package object/configgz reads for [ParseKconfig].
func RunningKconfig() (*Kconfig, error) {
	release, _, err := kernelRelease()
	if err != nil {
		return nil, sys.Fail("ask for", "the kernel's release", err, "")
	}
	path := "/boot/config-" + release
	data, err := readFile(path)
	if err != nil {
		return nil, sys.Fail("read the kernel's configuration", path, err, "give ParseKconfig its text; /proc/config.gz may have it: see object/configgz")
	}
	return ParseKconfig(data), nil
}

// ParseKconfig makes a Kconfig of lines such as CONFIG_HZ=250; others are comments. The bytes are kept, and must not change. Without any (nil) it is for objects whose options are
// all weak, or are the kernel's version and the like: LINUX_KERNEL_VERSION, LINUX_HAS_BPF_COOKIE, LINUX_HAS_SYSCALL_WRAPPER.
func ParseKconfig(config []byte) *Kconfig { return &Kconfig{view(config), fillKconfig} }

// NeedsKconfig reports whether [LoadOptions] must have a Kconfig: whether the object has externs of .kconfig.
func (s *Spec) NeedsKconfig() bool { return len(s.source.options.all) > 0 }

// readKconfig finds what the externs of .kconfig are on this kernel.
func (l *loader) readKconfig() (err error) {
	if !l.spec.NeedsKconfig() {
		return nil
	}
	k := l.opts.Kconfig
	if k == nil || k.fill == nil {
		return &problem{ErrNoKconfig, "the object has externs, of section .kconfig; set LoadOptions.Kconfig to what object.RunningKconfig gives"}
	}
	l.kconfig, err = k.fill(k, l.spec)
	return err
}

// kernelRelease gives what uname(2) says.
func kernelRelease() (release, version string, err error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "", "", err
	}
	return unix.ByteSliceToString(name.Release[:]), unix.ByteSliceToString(name.Version[:]), nil
}
