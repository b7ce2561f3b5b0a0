package object

import (
	"encoding/binary"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// memlock raises RLIMIT_MEMLOCK, at most once.
type memlock struct {
	mu     sync.Mutex // guards what follows
	tried  bool
	raised bool
}

// withMemlock makes a system call, and makes it again if it was refused for want of locked memory. Kernels before 5.11 answer
// EPERM then (bpf_charge_memlock in kernel/bpf/syscall.c).
func (l *loader) withMemlock(call func() (*sys.FD, error)) (*sys.FD, error) {
	fd, err := call()
	if err != unix.EPERM {
		return fd, err
	}
	if !l.memlock.raise() {
		return nil, err
	}
	return call()
}

// raise raises the limit if that was not tried before, and reports whether it was raised.
func (m *memlock) raise() bool {
	m.mu.Lock()
	if !m.tried {
		m.tried, m.raised = true, raiseMemlock()
	}
	raised := m.raised
	m.mu.Unlock()
	return raised
}

// raiseMemlock sets RLIMIT_MEMLOCK to infinity if the kernel counts BPF against it, and reports whether it did.
func raiseMemlock() bool {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil || limit.Cur == unix.RLIM_INFINITY || accountsByCgroup() {
		return false
	}
	limit.Cur, limit.Max = unix.RLIM_INFINITY, unix.RLIM_INFINITY
	return unix.Setrlimit(unix.RLIMIT_MEMLOCK, &limit) == nil
}

// accountsByCgroup reports whether the kernel counts BPF against the memory of a cgroup instead. It asks as libbpf does (probe_memcg_account in
// features.c): Linux 5.11, which began to, also brought the helper that this program calls.
func accountsByCgroup() bool {
	const (
		ktimeGetCoarseNS = 160  // BPF_FUNC_ktime_get_coarse_ns
		opExit           = 0x95 // BPF_JMP | BPF_EXIT
	)
	insns := make([]byte, 2*insnSize)
	insns[0] = opCall
	binary.NativeEndian.PutUint32(insns[4:], ktimeGetCoarseNS)
	insns[insnSize] = opExit
	license, err := sys.CString("GPL")
	if err != nil {
		return true
	}
	fd, err := sys.ProgLoad(&sys.ProgLoadAttr{ProgType: sys.ProgTypeSocketFilter, Insns: sys.Slice(insns), InsnCnt: 2, License: license})
	if err != nil {
		return false
	}
	fd.Close()
	return true
}
