package object

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// ErrNoCopy says that the entries of a map cannot be copied, because of its type: see [Copyable].
var ErrNoCopy = errors.New("object: what is in a map of this type cannot be copied")

// A Converter makes the entry of the new map of one of the old map. keep false leaves it out; an error ends the sweep and is what it
// answers. newKey and newValue must have the key size and the value size that the new map was created with, in bytes; either may be
// the slice that was passed, or share its memory. All four are valid until the next call.
//
// For a per-CPU map it is called for every possible CPU, from the first on, with that CPU's value alone. It must give the same key
// each time. A CPU's value that is not kept is zero in the new map, and an entry of which none is kept is left out.
//
// It may be called more than once for an entry, also in one sweep, so what it gives must depend on nothing but what it gets. If several
// entries become one, the last that is met wins.
type Converter func(key, value []byte) (newKey, newValue []byte, keep bool, err error)

// CopyCount says what a sweep did, in entries. After an error it is what was done until then.
type CopyCount struct {
	// Copied were written by Copy. Of an array that is each one, whether zero or not.
	Copied uint64
	// Changed were there with another value, and were overwritten: by CopyAgain, and by Copy where it finds two that become one, or one
	// that was there already. Copy does not see that where it writes batches, and takes them for Copied.
	Changed uint64
	// Added were lacking, and were written by CopyAgain or CopyMissing.
	Added uint64
	// Dropped were left out: the Converter did not keep them, or they are zero and lie beyond the end of a smaller array.
	Dropped uint64
}

// Copyable reports whether maps of a type have entries that [Copy] can read and write: hashes, LRU hashes and arrays, per CPU or not, and
// LPM tries, all of which Linux 5.10 has. Of the others, some cannot be iterated (queues, stacks, bloom filters, ring buffers, arenas),
// and most hold what user space cannot read back and write again: programs, maps, sockets, devices, perf events, stack traces, storage
// that belongs to a socket, task, inode or cgroup. Resizable hashes could be, but batches missed entries of one: right after 100 000 were added on
// Linux 7.3, they had 63 437.
func Copyable(t sys.MapType) bool {
	switch t {
	case sys.MapTypeHash, sys.MapTypePercpuHash, sys.MapTypeLRUHash, sys.MapTypeLRUPercpuHash,
		sys.MapTypeArray, sys.MapTypePercpuArray, sys.MapTypeLPMTrie:
		return true
	}
	return false
}

// Copy writes every entry of a map into another one: the first of three sweeps that move what programs go on changing. [CopyAgain] comes just
// before other programs take over, and [CopyMissing] after it. It uses BPF_MAP_LOOKUP_BATCH and BPF_MAP_UPDATE_BATCH (Linux 5.6; per-CPU arrays
// and LPM tries later), and goes key by key where the kernel or the type has none.
//
// Without a Converter the keys must have the same size, and values that are longer in the new map end in zeros; shorter ones are refused
// before anything is copied, with [ErrMismatch]. The types may differ, as long as both are [Copyable] and both or neither are per CPU. The
// new map need not be empty: entries of the same key are overwritten, others stay.
//
// Each entry that is in the old map from the beginning to the end of a sweep is met once, whatever programs add and remove meanwhile; what comes
// or goes meanwhile may be met or not. To keep that for LPM tries, where the kernel begins again when the entry that an iteration stands
// at is removed, their keys are kept in memory for the length of a sweep. An old map that changes so fast that a sweep gets nowhere ends it
// with EBUSY.
//
// A value with a struct bpf_spin_lock is read and written under the lock, so it is never half of one update and half of another; without one it may
// be, as for any reader. Locks, timers, and pointers to kernel objects in values are not copied: they begin as zero.
//
// Old LRU hashes may evict entries while they are copied, and a new one, instead of being full, evicts entries that were just copied; it
// may do so before it has all that it is to hold. Nothing counts those.
//
// The error of a new map that is full wraps E2BIG, and has both sizes; it is ENOSPC if that is an LPM trie, which on Linux 5.10, when full, does
// not take another value for an entry either. That of an entry that lies beyond the end of an array is E2BIG too, and has its index, unless the value is zero. Both maps must be open for reading, and the new one for writing, and
// not frozen: EPERM otherwise. It is EBADF if one is closed, and [ErrNoCopy] because of a type.
func Copy(from, to *Map, convert Converter) (CopyCount, error) {
	return sweep(from, to, convert, sweepFirst)
}

// CopyAgain is the second sweep, for what changed since [Copy]: it adds the entries that the new map lacks (BPF_NOEXIST), and overwrites those that
// differ. It must come before programs use the new map, whose own changes it would undo.
//
// An entry that was removed from the old map since, or that the Converter no longer keeps, stays in the new one.
//
// The guarantees and the errors are those of Copy. Of LRU hashes it takes entries for lacking that were evicted, and adds them again, for
// which others may be evicted.
func CopyAgain(from, to *Map, convert Converter) (CopyCount, error) {
	return sweep(from, to, convert, sweepAgain)
}

// CopyMissing is the last sweep, when programs use the new map already: it adds the entries that it lacks (BPF_NOEXIST), and overwrites none.
// An array lacks none, so nothing is done to it. What the new programs removed and the old map still has comes back.
//
// The guarantees and the errors are those of Copy. LPM tries obey BPF_NOEXIST from Linux 6.13 on (trie_update_elem in kernel/bpf/lpm_trie.c): before, an
// entry that a program adds to one during the sweep may be overwritten.
func CopyMissing(from, to *Map, convert Converter) (CopyCount, error) {
	return sweep(from, to, convert, sweepMissing)
}

// The sweeps.
const (
	sweepFirst = iota
	sweepAgain
	sweepMissing
)

// copyError is how all errors of a sweep begin.
//
//go:noinline
func copyError(from, to *Map, err error, do string) error {
	return sys.Fail("copy map", text.Form("{} to {}").Quote(from.name).Quote(to.name).String(), err, do)
}

// checkCopy compares what does not change while copying.
func checkCopy(from, to *Map, convert Converter) error {
	for _, m := range []*Map{from, to} {
		if !Copyable(m.info.Type) {
			return sys.Fail("copy map", text.Form("{} of type {}").Quote(m.name).Add(m.info.Type.String()).String(), ErrNoCopy,
				"let the new map begin empty")
		}
	}
	if from.info.ID == to.info.ID && from.info.ID != 0 {
		return copyError(from, to, unix.EINVAL, "both are the same map in the kernel")
	}
	if perCPU(from.info.Type) != perCPU(to.info.Type) {
		return copyError(from, to, ErrMismatch, text.Form("one has a value for every CPU, the other one for all: they are {} and {}").
			Add(from.info.Type.String()).Add(to.info.Type.String()).String())
	}
	if convert != nil {
		return nil
	}
	if from.info.KeySize != to.info.KeySize {
		return copyError(from, to, ErrMismatch, text.Form("keys have {} bytes in the one and {} in the other: it takes a Converter").
			Uint(uint64(from.info.KeySize)).Uint(uint64(to.info.KeySize)).String())
	}
	if from.info.ValueSize > to.info.ValueSize {
		return copyError(from, to, ErrMismatch, text.Form("values have {} bytes, and would be cut to {}: it takes a Converter").
			Uint(uint64(from.info.ValueSize)).Uint(uint64(to.info.ValueSize)).String())
	}
	return nil
}

// lockFlag gives BPF_F_LOCK for a map whose values have a spin lock, which the kernel wants nowhere else. It is also the first call on
// the map, and tells whether it may be read.
func (m *Map) lockFlag() (uint64, error) {
	key, value := make([]byte, m.KeySize()), make([]byte, m.valueSize)
	switch err := m.lookup(key, value, unix.BPF_F_LOCK); err {
	case nil, unix.ENOENT:
		return unix.BPF_F_LOCK, nil
	case unix.EINVAL:
		return 0, nil
	default:
		return 0, err
	}
}

// lookup is Lookup with flags, of slices that have the sizes.
func (m *Map) lookup(key, value []byte, flags uint64) error {
	attr := sys.MapElemAttr{MapFD: m.fd.Attr(), Key: sys.Slice(key), Value: sys.Slice(value), Flags: flags}
	return sys.MapLookupElem(&attr)
}
