package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// mounts lists what the guest mounts, in order. The first ones are needed to say what went wrong with the rest.
var mounts = []struct{ kind, at, data string }{
	{"proc", "/proc", ""},
	{"sysfs", "/sys", ""},
	{"devtmpfs", "/dev", ""},
	{"devpts", "/dev/pts", ""},
	{"tmpfs", "/dev/shm", ""},
	{"tmpfs", "/tmp", "mode=1777"},
	{"tmpfs", "/run", "mode=0755"},
	{"bpf", "/sys/fs/bpf", "mode=0700"},
	{"debugfs", "/sys/kernel/debug", ""},
	{"tracefs", "/sys/kernel/tracing", ""},
	{"securityfs", "/sys/kernel/security", ""},
	{"cgroup2", "/sys/fs/cgroup", ""},
}

func mountAll() (problems []error) {
	for _, m := range mounts {
		// The kernel makes the directories below /sys itself, and allows nobody else to.
		if err := os.MkdirAll(m.at, 0o755); err != nil && !strings.HasPrefix(m.at, "/sys/") {
			problems = append(problems, err)
		}
		// Some kernels mount devtmpfs by themselves.
		if err := unix.Mount(m.kind, m.at, m.kind, 0, m.data); err != nil && !errors.Is(err, unix.EBUSY) {
			problems = append(problems, fmt.Errorf("mount %s on %s: %w", m.kind, m.at, err))
		}
	}
	return problems
}

// prepare does what a distribution's init would have done, as far as tests notice.
func prepare() (problems []error) {
	for _, c := range []struct {
		what string
		do   func() error
	}{
		{"bring lo up", loopbackUp},
		{"set the host's name", func() error { return unix.Sethostname([]byte("vmtest")) }},
		{"name the kernel's configuration", linkConfig},
		{"link /dev/fd", func() error { return os.Symlink("/proc/self/fd", "/dev/fd") }},
		{"allow the tests files enough", func() error {
			return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 65536, Max: 65536})
		}},
	} {
		if err := c.do(); err != nil && !errors.Is(err, os.ErrExist) {
			problems = append(problems, fmt.Errorf("%s: %w", c.what, err))
		}
	}
	return problems
}

// complete does what an init that is not ours leaves out. The root may be a file system that cannot be changed.
func complete(config string) (problems []error) {
	for _, c := range []struct {
		what string
		do   func() error
	}{
		{"mount bpf", func() error { return unix.Mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0700") }},
		{"bring lo up", loopbackUp}, // virtme-init asks ip to, which may not be there
		{"name the kernel's configuration", func() error { return showConfig(config) }},
	} {
		if err := c.do(); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", c.what, err))
		}
	}
	return problems
}

// showConfig makes a /boot that has the kernel's configuration alone, over that of another kernel.
func showConfig(config string) error {
	if config == "" {
		return nil
	}
	if err := unix.Mount("boot", "/boot", "tmpfs", 0, "mode=0755"); err != nil {
		return err
	}
	if err := os.Symlink(config, "/boot/config"); err != nil {
		return err
	}
	return linkConfig()
}

// linkConfig gives the kernel's configuration the name under which programs look for it.
func linkConfig() error {
	if _, err := os.Stat("/boot/config"); err != nil {
		return nil // the kernel came without one
	}
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return err
	}
	return os.Symlink("config", "/boot/config-"+strings.TrimSpace(string(release)))
}

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
	if err := unix.IoctlIfreq(socket, unix.SIOCGIFFLAGS, lo); err != nil {
		return err
	}
	lo.SetUint16(lo.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, lo)
}

func loadModules(paths []string) (problems []error) {
	for _, path := range paths {
		if err := loadModule(path); err != nil && !errors.Is(err, unix.EEXIST) {
			problems = append(problems, fmt.Errorf("load %s: %w", path, err))
		}
	}
	return problems
}

func loadModule(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return unix.FinitModule(int(file.Fd()), "", 0)
}

// openLine opens a serial line that carries bytes as they are: by default the kernel makes two of each newline.
func openLine(path string) (*os.File, error) {
	line, err := os.OpenFile(path, os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	mode, err := unix.IoctlGetTermios(int(line.Fd()), unix.TCGETS)
	if err != nil {
		return nil, errors.Join(err, line.Close())
	}
	mode.Oflag = 0
	mode.Lflag = 0
	mode.Cflag = unix.CS8 | unix.CLOCAL | unix.CREAD | unix.B115200
	if err := unix.IoctlSetTermios(int(line.Fd()), unix.TCSETS, mode); err != nil {
		return nil, errors.Join(err, line.Close())
	}
	return line, nil
}

func uptime() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return 0
	}
	return time.Duration(now.Nano())
}
