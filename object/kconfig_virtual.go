package object

import (
	"runtime"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// setVirtual sets the externs of .kconfig that no configuration has, but libbpf invented (LINUX_…).
func (v *optionValues) setVirtual() error {
	for i := range v.list {
		e := &v.list[i]
		if e.kind != externKconfig || strings.HasPrefix(e.name, "CONFIG_") {
			continue
		}
		var n uint64
		var err error
		switch e.name {
		case "LINUX_KERNEL_VERSION":
			n, err = kernelVersion()
		case "LINUX_HAS_BPF_COOKIE":
			n = hasCookie()
		case "LINUX_HAS_SYSCALL_WRAPPER":
			n, err = hasSyscallWrapper()
		default:
			if !e.weak {
				err = &problem{ErrExtern, text.Form("{} {} is none that is known").Add(e.kind.String()).Quote(e.name).String()}
			}
		}
		if err == nil {
			err = v.setNumberOrBool(i, n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// setNumberOrBool is setNumber for what is 0 or 1, and may be declared as bool.
func (v *optionValues) setNumberOrBool(i int, n uint64) error {
	if kind, _ := kindOfOption(v.src.types, v.list[i].typ); kind == optionBool && n < 2 {
		v.put(i, n)
		return nil
	}
	return v.setNumber(i, text.Number(n), n)
}

// kernelVersion is the kernel's version as KERNEL_VERSION in C has it. Distributions' releases hide it, so their own words come first, as libbpf has it
// (get_kernel_version): Ubuntu's /proc/version_signature, Debian's version.
func kernelVersion() (uint64, error) {
	if n, ok := ubuntuVersion(); ok {
		return n, nil
	}
	release, version, err := kernelRelease()
	if err != nil {
		return 0, sys.Fail("ask for", "the kernel's version", err, "")
	}
	if _, debian, found := strings.Cut(version, "Debian "); found {
		if n, ok := parseVersion(debian); ok {
			return n, nil
		}
	}
	n, ok := parseVersion(release)
	if !ok {
		return 0, &problem{ErrExtern, text.Form("the kernel's release {} does not begin with a version").Quote(release).String()}
	}
	return n, nil
}

// ubuntuVersion reads the third word of Ubuntu's own file.
func ubuntuVersion() (uint64, bool) {
	fd, err := unix.Open("/proc/version_signature", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, false
	}
	defer unix.Close(fd)
	var line [256]byte
	n, err := readAll(fd, line[:])
	if err != nil {
		return 0, false
	}
	_, rest, _ := text.Cut(string(line[:n]), ' ')
	_, version, _ := text.Cut(rest, ' ')
	return parseVersion(version)
}

// parseVersion reads three numbers at the beginning of s.
func parseVersion(s string) (uint64, bool) {
	var n [3]uint64
	for i := range n {
		end := 0
		for end < len(s) && s[end] >= '0' && s[end] <= '9' {
			end++
		}
		var ok bool
		if n[i], ok = text.Parse(s[:end], 10, 16); !ok || i < 2 && (end == len(s) || s[end] != '.') {
			return 0, false
		}
		s = s[min(end+1, len(s)):]
	}
	return n[0]<<16 | n[1]<<8 | min(n[2], 255), true
}

// cookie is what the kernel has said of bpf_get_attach_cookie: 0 if it was not asked, 1 if it lacks it, 2 if it has it. It is asked once in a process.
var cookie atomic.Uint32

// hasCookie is 1 where programs can be attached with a cookie. Linux 5.15.
func hasCookie() uint64 {
	if cookie.Load() == 0 {
		const getAttachCookie, exit = 174, 0x95
		big, insns := nativeBig(), make([]byte, 2*insnSize)
		insns[0], insns[insnSize] = opCall, exit
		big.setImmediate(insns, getAttachCookie)
		license, _ := sys.CString("GPL")
		fd, err := sys.ProgLoad(&sys.ProgLoadAttr{ProgType: sys.ProgTypeTracepoint, Insns: sys.Slice(insns), InsnCnt: 2, License: license})
		fd.Close()
		if err != nil && err != unix.EINVAL {
			return 0 // nothing was learnt
		}
		cookie.Store(1)
		if err == nil {
			cookie.Store(2)
		}
	}
	return uint64(cookie.Load()) / 2
}

// wrapper is what the kernel's list of symbols has said of wrappers of system calls, as cookie.
var wrapper atomic.Uint32

// hasSyscallWrapper is 1 where system calls are functions with the registers as only parameter (CONFIG_ARCH_HAS_SYSCALL_WRAPPER), which are then called otherwise.
func hasSyscallWrapper() (uint64, error) {
	if wrapperSymbol() == "" {
		return 0, nil
	}
	if wrapper.Load() == 0 {
		if _, err := new(ksyms).readKallsyms(); err != nil {
			return 0, err
		}
	}
	return uint64(wrapper.Load()) / 2, nil
}

// wrapperSymbol is what bpf(2) is called in a kernel with wrappers, "" on machines that have none. Its address may be hidden, its name is not.
func wrapperSymbol() string {
	switch runtime.GOARCH {
	case "amd64":
		return "__x64_sys_bpf"
	case "arm64":
		return "__arm64_sys_bpf"
	case "s390x":
		return "__s390x_sys_bpf"
	case "riscv64":
		return "__riscv_sys_bpf"
	}
	return ""
}
