package object

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// copier is one sweep.
type copier struct {
	from, to *Map
	convert  Converter
	sweep    int
	count    CopyCount
	flags    uint64 // of every lookup and update in to

	// Entries that are to be written. Only the first sweep ever has more than one.
	keys, values []byte
	n, batch     int

	key     []byte              // the key that the Converter gets
	have    []byte              // a value as to has it
	masked  []byte              // a key as present has it
	present map[string]struct{} // the prefixes in to, if it is an LPM trie
}

func sweep(from, to *Map, convert Converter, which int) (CopyCount, error) {
	if err := checkCopy(from, to, convert); err != nil {
		return CopyCount{}, err
	}
	c := &copier{from: from, to: to, convert: convert, sweep: which}
	err := c.run()
	if _, told := err.(*sys.Error); err != nil && !told {
		do := ""
		if err == unix.EBUSY {
			do = "programs add and remove entries faster than they can be read; try again"
		}
		err = copyError(from, to, err, do)
	}
	return c.count, err
}

func (c *copier) run() error {
	readFlags, err := c.from.lockFlag()
	if err != nil {
		return err
	}
	if c.flags, err = c.to.lockFlag(); err != nil {
		return err
	}
	if c.sweep == sweepMissing && c.to.isArray() {
		return nil
	}
	r := newMapReader(c.from, readFlags)
	c.batch = 1
	if c.sweep == sweepFirst && (r.seen == nil || c.to.isArray()) && c.to.info.Type != sys.MapTypeLPMTrie {
		c.batch = c.to.batchSize()
	}
	c.keys, c.values = make([]byte, c.batch*c.to.KeySize()), make([]byte, c.batch*c.to.valueSize)
	c.key, c.have, c.masked = make([]byte, c.from.KeySize()), make([]byte, c.to.valueSize), make([]byte, c.to.KeySize())
	if err := c.findPresent(); err != nil {
		return err
	}
	for {
		key, value, err := r.entry()
		if err == unix.ENOENT {
			return c.flush()
		}
		if err != nil {
			return err
		}
		if err := c.add(key, value); err != nil {
			return err
		}
	}
}

// findPresent lists what is in an LPM trie. A lookup there answers with the entry of a shorter prefix, so it does not tell.
func (c *copier) findPresent() error {
	if c.to.info.Type != sys.MapTypeLPMTrie {
		return nil
	}
	c.present = make(map[string]struct{})
	r := newMapReader(c.to, c.flags)
	for {
		key, _, err := r.entry()
		if err == unix.ENOENT {
			return nil
		}
		if err != nil {
			return err
		}
		c.present[string(maskPrefix(key))] = struct{}{}
	}
}

// maskPrefix clears the bits of an LPM trie's key that do not belong to the prefix, in place: the kernel keeps them, but does not look at
// them. The key is struct bpf_lpm_trie_key: the length in bits, then the bytes.
func maskPrefix(key []byte) []byte {
	bits := uint64(binary.NativeEndian.Uint32(key))
	for i := range key[4:] {
		switch first := uint64(i) * 8; {
		case bits <= first:
			key[4+i] = 0
		case bits < first+8:
			key[4+i] &= 0xff << (first + 8 - bits)
		}
	}
	return key
}

// add converts an entry and writes it, at once or with others.
func (c *copier) add(key, value []byte) error {
	newKey := c.keys[c.n*c.to.KeySize():][:c.to.KeySize()]
	newValue := c.values[c.n*c.to.valueSize:][:c.to.valueSize]
	keep, err := c.convertInto(newKey, newValue, key, value)
	if err != nil {
		return err
	}
	if keep {
		keep, err = c.inside(newKey, newValue)
	}
	if !keep {
		if err == nil {
			c.count.Dropped++
		}
		return err
	}
	c.n++
	if c.n < c.batch {
		return nil
	}
	return c.flush()
}

// inside reports whether an entry lies in the new map if that is an array. One that is zero and does not is left out.
func (c *copier) inside(key, value []byte) (bool, error) {
	if !c.to.isArray() {
		return true, nil
	}
	index := binary.NativeEndian.Uint32(key)
	if index < c.to.info.MaxEntries {
		return true, nil
	}
	if isZero(value) {
		return false, nil
	}
	return false, copyError(c.from, c.to, unix.E2BIG, text.Form("entry {} is not zero, and the new array has {} entries, the old map {}").
		Uint(uint64(index)).Uint(uint64(c.to.info.MaxEntries)).Uint(uint64(c.from.info.MaxEntries)).String())
}

// flush writes the entries that wait.
func (c *copier) flush() error {
	n := c.n
	c.n = 0
	if c.batch > 1 && n > 0 {
		attr := sys.MapBatchAttr{Keys: sys.Slice(c.keys), Values: sys.Slice(c.values), Count: uint32(n), MapFD: c.to.fd.Attr(), ElemFlags: c.flags}
		if sys.MapUpdateBatch(&attr) == nil {
			c.count.Copied += uint64(n)
			return nil
		}
		// The kernel has no batches for the type, or an entry is refused, and Linux before 6.8 may not say which: one by one, it does.
	}
	for i := range n {
		key := c.keys[i*c.to.KeySize():][:c.to.KeySize()]
		value := c.values[i*c.to.valueSize:][:c.to.valueSize]
		if err := c.write(key, value); err != nil {
			return c.explain(err)
		}
	}
	return nil
}

// explain adds both sizes to the error of a map that is full.
func (c *copier) explain(err error) error {
	if err != unix.E2BIG && err != unix.ENOSPC {
		return err
	}
	return copyError(c.from, c.to, err, text.Form("the new map is full with {} entries; the old one may have {}").
		Uint(uint64(c.to.info.MaxEntries)).Uint(uint64(c.from.info.MaxEntries)).String())
}

// write writes one entry as the sweep wants it.
func (c *copier) write(key, value []byte) error {
	if c.sweep == sweepFirst && (c.batch > 1 || c.to.isArray()) {
		return c.update(key, value, unix.BPF_ANY, &c.count.Copied)
	}
	there, err := c.lookUp(key)
	switch {
	case err != nil:
		return err
	case !there:
		return c.insert(key, value)
	case c.sweep == sweepMissing || string(c.have) == string(value):
		return nil
	}
	return c.update(key, value, unix.BPF_ANY, &c.count.Changed)
}

// insert writes an entry that the new map lacks. If somebody else was faster, what they wrote stays.
func (c *copier) insert(key, value []byte) error {
	count := &c.count.Added
	if c.sweep == sweepFirst {
		count = &c.count.Copied
	}
	err := c.update(key, value, unix.BPF_NOEXIST, count)
	if err == unix.EEXIST {
		return nil
	}
	if err == nil && c.present != nil {
		c.present[c.prefix(key)] = struct{}{}
	}
	return err
}

func (c *copier) update(key, value []byte, flags uint64, count *uint64) error {
	err := c.to.Update(key, value, flags|c.flags)
	if err == nil {
		*count++
	}
	return err
}
