package object

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

const (
	batchBytes   = 1 << 18 // of keys and values that a batch is to have, in bytes
	batchEntries = 1 << 10 // that it has at most
	mostGrowth   = 1 << 28 // bytes that a batch may grow to, for a bucket of a hash that is larger
	mostRepeats  = 32      // entries that may be met again, for each that is met
	mostRetries  = 1 << 10 // calls in a row that may be cut short before they did anything

	errNotSupported = unix.Errno(524) // ENOTSUPP of include/linux/errno.h: the type has no such command
)

// batchSize gives how many entries a batch of a map has.
func (m *Map) batchSize() int {
	n := min(batchBytes/(m.KeySize()+m.valueSize), batchEntries)
	return int(max(1, min(uint32(n), m.info.MaxEntries)))
}

// mapReader reads the entries of a map: every one that is there from the beginning to the end, once.
//
// Batches of hashes go bucket by bucket, each under its lock (__htab_map_lookup_and_delete_batch in kernel/bpf/hashtab.c), and arrays have all
// their entries always, so nothing can be met twice or be missed. All else steps from a key to the next, and the kernel begins again with the first
// when that key was removed (trie_get_next_key in kernel/bpf/lpm_trie.c, htab_map_get_next_key): then, seen has what was met.
type mapReader struct {
	m       *Map
	flags   uint64
	batch   int    // entries in a batch, 0 to go key by key
	started bool   // cursor is set
	last    bool   // nothing comes after what is read
	cursor  []byte // where to go on: a key, or for batches of hashes the number of a bucket
	next    []byte // where the kernel writes the cursor to
	keys    []byte
	values  []byte
	n, at   int // entries in keys and values, and how many of them are done

	seen    map[string]struct{} // nil if the kernel never begins again
	repeats uint64
}

func newMapReader(m *Map, flags uint64) *mapReader {
	cursor := max(m.KeySize(), 8)
	r := &mapReader{m: m, flags: flags, cursor: make([]byte, cursor), next: make([]byte, cursor)}
	r.setBatch(m.batchSize())
	if m.info.Type == sys.MapTypeLPMTrie {
		r.seen = make(map[string]struct{})
	}
	return r
}

// setBatch makes room for n entries.
func (r *mapReader) setBatch(n int) {
	r.batch, r.keys, r.values = n, make([]byte, n*r.m.KeySize()), make([]byte, n*r.m.valueSize)
}

// isArray reports whether a map has all its entries always.
func (m *Map) isArray() bool {
	return m.info.Type == sys.MapTypeArray || m.info.Type == sys.MapTypePercpuArray
}

// entry gives the next entry, ENOENT after the last. The slices are valid until the next call.
func (r *mapReader) entry() (key, value []byte, err error) {
	for {
		if r.at == r.n {
			if r.last {
				return nil, nil, unix.ENOENT
			}
			if err := r.fill(); err != nil {
				return nil, nil, err
			}
			continue
		}
		key = r.keys[r.at*r.m.KeySize():][:r.m.KeySize()]
		value = r.values[r.at*r.m.valueSize:][:r.m.valueSize]
		r.at++
		again, err := r.met(key)
		if err != nil {
			return nil, nil, err
		}
		if !again {
			return key, value, nil
		}
	}
}

// met reports whether an entry was given before. It is EBUSY if there is no end to them: a map has so many entries that programs
// must be adding new ones and removing old ones all the time, or nothing comes but what was there before.
func (r *mapReader) met(key []byte) (bool, error) {
	if r.seen == nil {
		return false, nil
	}
	if _, again := r.seen[string(key)]; again {
		r.repeats++
		if r.repeats > mostRepeats*uint64(len(r.seen)+64) {
			return true, unix.EBUSY
		}
		return true, nil
	}
	if uint64(len(r.seen)) > 8*uint64(r.m.info.MaxEntries)+1024 {
		return false, unix.EBUSY
	}
	r.seen[string(key)] = struct{}{}
	return false, nil
}

// fill reads what comes next: a batch, or one entry. It may be none.
func (r *mapReader) fill() error {
	r.n, r.at = 0, 0
	for range mostRetries {
		if r.batch == 0 {
			return r.fillOne()
		}
		again, err := r.fillBatch()
		if !again {
			return err
		}
	}
	return unix.EBUSY
}

// fillBatch makes one call for a batch, and says whether to make another one before there is anything.
func (r *mapReader) fillBatch() (again bool, err error) {
	attr := sys.MapBatchAttr{OutBatch: sys.Slice(r.next), Keys: sys.Slice(r.keys), Values: sys.Slice(r.values),
		Count: uint32(r.batch), MapFD: r.m.fd.Attr(), ElemFlags: r.flags}
	if r.started {
		attr.InBatch = sys.Slice(r.cursor)
	}
	switch err = sys.MapLookupBatch(&attr); err {
	case unix.ENOENT:
		r.last = true
	case nil, unix.EINTR, unix.EBUSY, unix.EAGAIN:
		// EINTR is what Linux before 6.14 answers when entries were removed between two looks (generic_map_lookup_batch).
		if attr.Count == 0 {
			return true, nil
		}
	case unix.ENOSPC: // one bucket has more entries
		if 2*r.batch*(r.m.KeySize()+r.m.valueSize) > mostGrowth {
			return false, err
		}
		r.setBatch(2 * r.batch)
		return true, nil
	case unix.EINVAL, errNotSupported, unix.EOPNOTSUPP:
		if r.started {
			return false, err
		}
		r.goByKey()
		return true, nil
	default:
		return false, err
	}
	r.n = min(int(attr.Count), r.batch)
	r.started, r.cursor, r.next = true, r.next, r.cursor
	return false, nil
}

// goByKey gives batches up.
func (r *mapReader) goByKey() {
	r.setBatch(1)
	r.batch = 0
	if r.seen == nil && !r.m.isArray() {
		r.seen = make(map[string]struct{})
	}
}

// fillOne reads one entry, or none if it is gone already.
func (r *mapReader) fillOne() error {
	attr := sys.MapNextKeyAttr{MapFD: r.m.fd.Attr(), NextKey: sys.Slice(r.next)}
	if r.started {
		attr.Key = sys.Slice(r.cursor)
	}
	if err := sys.MapGetNextKey(&attr); err != nil {
		r.last = err == unix.ENOENT
		if r.last {
			return nil
		}
		return err
	}
	r.started, r.cursor, r.next = true, r.next, r.cursor
	copy(r.keys, r.cursor)
	err := r.m.lookup(r.keys, r.values, r.flags)
	if err == unix.ENOENT {
		return r.skipOne()
	}
	r.n = 1
	return err
}

// skipOne counts an entry that was removed between two calls, so that they do not go on for ever.
func (r *mapReader) skipOne() error {
	if r.repeats++; r.repeats > mostRepeats*uint64(len(r.seen)+64) {
		return unix.EBUSY
	}
	return nil
}
