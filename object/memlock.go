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
	const ktimeGetCoarseNS = 160 // BPF_FUNC_ktime_get_coarse_ns
	return loadSmallest(&sys.ProgLoadAttr{ProgType: sys.ProgTypeSocketFilter}, opCall, ktimeGetCoarseNS) == nil
}

// loadSmallest loads a program of one instruction and an exit, and tells what the kernel says to it.
func loadSmallest(attr *sys.ProgLoadAttr, opcode byte, immediate uint32) error {
	insns := [2 * insnSize]byte{0: opcode, insnSize: opExit}
	binary.NativeEndian.PutUint32(insns[4:], immediate)
	license, err := sys.CString("GPL")
	if err != nil {
		return err
	}
	attr.Insns, attr.InsnCnt, attr.License = sys.Slice(insns[:]), 2, license
	fd, err := sys.ProgLoad(attr)
	fd.Close()
	return err
}
