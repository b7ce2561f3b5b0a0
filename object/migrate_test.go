package object_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// shape is what a map is made of.
type shape struct {
	typ                 sys.MapType
	key, value, entries uint32
	flags               uint32
}

func (s shape) make(t testing.TB, name string) *object.Map {
	t.Helper()
	testenv.Root(t)
	if s.typ == sys.MapTypeLPMTrie {
		s.flags |= unix.BPF_F_NO_PREALLOC
	}
	// Before Linux 5.11 maps count against this limit. Later it does not matter, and not every root may change it.
	_ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: math.MaxUint64, Max: math.MaxUint64})
	return own(t, name, &sys.MapCreateAttr{MapType: s.typ, KeySize: s.key, ValueSize: s.value, MaxEntries: s.entries, MapFlags: s.flags})
}

func own(t testing.TB, name string, attr *sys.MapCreateAttr) *object.Map {
	t.Helper()
	fd, err := sys.MapCreate(attr)
	check(t, err)
	m, err := object.NewMap(name, fd)
	check(t, err)
	t.Cleanup(func() { check(t, m.Close()) })
	return m
}

// key gives the key of a number: of an LPM trie, a prefix of 32 bits.
func key(m *object.Map, n uint32) []byte {
	if m.Type() == sys.MapTypeLPMTrie {
		return binary.BigEndian.AppendUint32(binary.NativeEndian.AppendUint32(nil, 32), n)
	}
	key := binary.NativeEndian.AppendUint32(nil, n)
	return append(key, make([]byte, m.KeySize()-4)...)
}

// values cuts a value into those of each CPU, without what lies between them.
func values(m *object.Map, value []byte) (parts [][]byte) {
	size := int(m.Info().ValueSize)
	stride := (size + 7) / 8 * 8
	for ; len(value) >= size; value = value[min(stride, len(value)):] {
		parts = append(parts, value[:size])
	}
	return parts
}

// put writes an entry; every CPU gets another value.
func put(t testing.TB, m *object.Map, n uint32, seed byte) {
	t.Helper()
	value := make([]byte, m.ValueSize())
	for cpu, part := range values(m, value) {
		for i := range part {
			part[i] = byte(n) + byte(i)*3 + byte(cpu) + seed
		}
	}
	check(t, m.Update(key(m, n), value, 0))
}

// dump reads a map that nobody changes: values without what lies between those of CPUs, each extended by some zeros.
func dump(t testing.TB, m *object.Map, zeros int) map[string]string {
	t.Helper()
	all := map[string]string{}
	key, value := make([]byte, m.KeySize()), make([]byte, m.ValueSize())
	for err := m.NextKey(nil, key); err != unix.ENOENT; err = m.NextKey(bytes.Clone(key), key) {
		check(t, err)
		check(t, m.Lookup(key, value))
		whole := []byte{}
		for _, part := range values(m, value) {
			whole = append(append(whole, part...), make([]byte, zeros)...)
		}
		all[string(key)] = string(whole)
	}
	return all
}

// same compares what two maps hold.
func same(t testing.TB, want, got map[string]string) {
	t.Helper()
	if maps.Equal(want, got) {
		return // cmp.Diff takes seconds for many entries
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%d entries, want %d; -want +got:\n%.2000s", len(got), len(want), diff)
	}
}

// copied fails the test unless a sweep counted that.
func copied(t testing.TB, what string, want object.CopyCount) func(object.CopyCount, error) {
	return func(got object.CopyCount, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", what, diff)
		}
	}
}

// copyable are all types that can be copied, with the size of a key.
var copyable = map[sys.MapType]uint32{
	sys.MapTypeHash: 6, sys.MapTypePercpuHash: 6, sys.MapTypeLRUHash: 6, sys.MapTypeLRUPercpuHash: 6,
	sys.MapTypeArray: 4, sys.MapTypePercpuArray: 4, sys.MapTypeLPMTrie: 8,
}

func isArray(m *object.Map) bool {
	return m.Type() == sys.MapTypeArray || m.Type() == sys.MapTypePercpuArray
}

// TestMigrate makes the three sweeps over a map of every type, into one that is larger and has longer values.
func TestMigrate(t *testing.T) {
	for typ, keySize := range copyable {
		t.Run(typ.String(), func(t *testing.T) {
			from := shape{typ, keySize, 12, 3000, 0}.make(t, "old")
			to := shape{typ, keySize, 21, 5000, 0}.make(t, "new")
			n := uint32(1200)
			if isArray(from) {
				n = 3000
			}
			for i := range n {
				put(t, from, i, 1)
			}
			copied(t, "Copy", object.CopyCount{Copied: uint64(n)})(object.Copy(from, to, nil))
			same(t, dump(t, from, 9), existingOf(to, dump(t, to, 0), n))
			copied(t, "CopyAgain, nothing changed", object.CopyCount{})(object.CopyAgain(from, to, nil))

			changeOld(t, from, n)
			want := object.CopyCount{Changed: 2, Added: 1}
			if isArray(from) {
				want.Added = 0
			}
			copied(t, "CopyAgain", want)(object.CopyAgain(from, to, nil))
			same(t, dump(t, from, 9), existingOf(to, dump(t, to, 0), n+1))

			put(t, to, 7, 99)
			if !isArray(to) {
				check(t, to.Delete(key(to, 8)))
			}
			before := dump(t, to, 0)
			want = object.CopyCount{Added: 1}
			if isArray(to) {
				want.Added = 0
			}
			copied(t, "CopyMissing", want)(object.CopyMissing(from, to, nil))
			if !isArray(to) {
				before[string(key(to, 8))] = dump(t, from, 9)[string(key(from, 8))]
			}
			same(t, before, dump(t, to, 0))
		})
	}
}

// changeOld changes two entries, and adds one to what is no array.
func changeOld(t testing.TB, m *object.Map, n uint32) {
	t.Helper()
	put(t, m, 3, 50)
	put(t, m, n-1, 50)
	if !isArray(m) {
		put(t, m, n, 50)
	}
}

// existingOf takes the entries of a larger array away that the old one lacked.
func existingOf(m *object.Map, all map[string]string, n uint32) map[string]string {
	if isArray(m) {
		maps.DeleteFunc(all, func(key, _ string) bool { return binary.NativeEndian.Uint32([]byte(key)) >= min(n, 3000) })
	}
	return all
}

// TestMigrateConverts changes keys, makes values shorter, and drops every third entry.
func TestMigrateConverts(t *testing.T) {
	for typ, keySize := range copyable {
		t.Run(typ.String(), func(t *testing.T) {
			entries := uint32(3000) // LRU hashes evict before they are full
			if typ == sys.MapTypeArray || typ == sys.MapTypePercpuArray {
				entries = 300
			}
			from := shape{typ, keySize, 12, entries, 0}.make(t, "old")
			to := shape{typ, keySize, 5, 3000, 0}.make(t, "new")
			for i := range uint32(300) {
				put(t, from, i, 1)
			}
			place := keySize - 4 // of the number: at the end of a prefix, and at the start of others
			if typ != sys.MapTypeLPMTrie {
				place = 0
			}
			convert := func(key, value []byte) ([]byte, []byte, bool, error) {
				n := key[place:]
				number := binary.NativeEndian.Uint32(n) // in place, as a Converter may
				if typ == sys.MapTypeLPMTrie {
					binary.BigEndian.PutUint32(n, binary.BigEndian.Uint32(n)+1000)
					number = binary.BigEndian.Uint32(n) - 1000
				} else {
					binary.NativeEndian.PutUint32(n, number+1000)
				}
				return key, value[2:7], number%3 != 0, nil
			}
			want := map[string]string{}
			for old, value := range dump(t, from, 0) {
				newKey, _, keep, _ := convert([]byte(old), make([]byte, 12))
				short := ""
				for ; value != ""; value = value[12:] {
					short += value[2:7]
				}
				if keep {
					want[string(newKey)] = short
				}
			}
			copied(t, "Copy", object.CopyCount{Copied: 200, Dropped: 100})(object.Copy(from, to, convert))
			got := dump(t, to, 0)
			if isArray(to) {
				maps.DeleteFunc(got, func(key, _ string) bool { return want[key] == "" })
			}
			same(t, want, got)
			copied(t, "CopyAgain", object.CopyCount{Dropped: 100})(object.CopyAgain(from, to, convert))
		})
	}
}

// TestMigrateConvertsEachCPU keeps the values of some CPUs only, and refuses keys that differ.
func TestMigrateConvertsEachCPU(t *testing.T) {
	from := shape{sys.MapTypePercpuHash, 4, 4, 4, 0}.make(t, "old")
	to := shape{sys.MapTypePercpuHash, 4, 12, 4, 0}.make(t, "new")
	value := make([]byte, from.ValueSize())
	cpus := values(from, value)
	for cpu, part := range cpus {
		binary.NativeEndian.PutUint32(part, uint32(cpu+1))
	}
	check(t, from.Update(key(from, 1), value, 0))
	last := uint32(len(cpus))
	onlyLast := func(key, value []byte) ([]byte, []byte, bool, error) {
		return key, append(value, 1, 2, 3, 4, 5, 6, 7, 8), binary.NativeEndian.Uint32(value) == last, nil
	}
	copied(t, "Copy", object.CopyCount{Copied: 1})(object.Copy(from, to, onlyLast))
	want := string(make([]byte, 12*(last-1))) + string(binary.NativeEndian.AppendUint32(nil, last)) + "\x01\x02\x03\x04\x05\x06\x07\x08"
	same(t, map[string]string{string(key(to, 1)): want}, dump(t, to, 0))

	if last == 1 {
		return // one CPU cannot differ from another
	}
	byCPU := func(key, value []byte) ([]byte, []byte, bool, error) { return value, make([]byte, 12), true, nil }
	_, err := object.Copy(from, to, byCPU)
	wantError(t, err, unix.EINVAL, `copy map "old" to "new"`, "another key for CPU 1")
}

// TestMigrateOtherTypes copies between types, and into a map that holds something.
func TestMigrateOtherTypes(t *testing.T) {
	from := shape{sys.MapTypeArray, 4, 4, 10, 0}.make(t, "array")
	for i := range uint32(10) {
		put(t, from, i, 1)
	}
	to := shape{sys.MapTypeHash, 4, 4, 11, unix.BPF_F_NO_PREALLOC}.make(t, "hash")
	put(t, to, 3, 70)
	put(t, to, 100, 70)
	want := dump(t, from, 0)
	want[string(key(to, 100))] = dump(t, to, 0)[string(key(to, 100))]
	count, err := object.Copy(from, to, nil)
	check(t, err)
	if count.Copied+count.Changed != 10 {
		t.Errorf("%+v, want 10 entries", count)
	}
	same(t, want, dump(t, to, 0))
}

// TestMigrateShorterArray leaves zeros beyond the end out, and nothing else.
func TestMigrateShorterArray(t *testing.T) {
	for _, typ := range []sys.MapType{sys.MapTypeArray, sys.MapTypePercpuArray} {
		from := shape{typ, 4, 4, 3000, 0}.make(t, "old")
		to := shape{typ, 4, 4, 2000, 0}.make(t, "new")
		put(t, from, 1999, 1)
		copied(t, "Copy", object.CopyCount{Copied: 2000, Dropped: 1000})(object.Copy(from, to, nil))
		put(t, from, 2500, 1)
		_, err := object.Copy(from, to, nil)
		wantError(t, err, unix.E2BIG, `copy map "old" to "new"`, "entry 2500", "2000", "3000")
	}
}

// TestMigrateFull fills maps that are too small.
func TestMigrateFull(t *testing.T) {
	for typ, kind := range map[sys.MapType]error{sys.MapTypeHash: unix.E2BIG, sys.MapTypePercpuHash: unix.E2BIG, sys.MapTypeLPMTrie: unix.ENOSPC} {
		t.Run(typ.String(), func(t *testing.T) {
			from, to := shape{typ, 8, 4, 300, 0}.make(t, "old"), shape{typ, 8, 4, 100, 0}.make(t, "new")
			for i := range uint32(200) {
				put(t, from, i, 1)
			}
			count, err := object.Copy(from, to, nil)
			wantError(t, err, kind, `copy map "old" to "new"`, "full with 100 entries", "300")
			if n := len(dump(t, to, 0)); n != 100 || count.Copied > 100 {
				t.Errorf("%d entries are there, and %d were counted", n, count.Copied)
			}
		})
	}
}

// TestMigratePrefixes copies prefixes of which one covers another: a lookup of the longer finds the shorter.
func TestMigratePrefixes(t *testing.T) {
	from, to := shape{sys.MapTypeLPMTrie, 8, 4, 100, 0}.make(t, "old"), shape{sys.MapTypeLPMTrie, 8, 4, 100, 0}.make(t, "new")
	prefix := func(bits uint32, data ...byte) []byte {
		return append(binary.NativeEndian.AppendUint32(nil, bits), data...)
	}
	check(t, from.Update(prefix(8, 10, 0, 0, 0), []byte{1, 1, 1, 1}, 0))
	copied(t, "Copy", object.CopyCount{Copied: 1})(object.Copy(from, to, nil))
	check(t, from.Update(prefix(21, 10, 1, 0xff, 9), []byte{1, 1, 1, 1}, 0))
	check(t, from.Update(prefix(0, 9, 9, 9, 9), []byte{2, 2, 2, 2}, 0))
	copied(t, "CopyAgain", object.CopyCount{Added: 2})(object.CopyAgain(from, to, nil))
	same(t, dump(t, from, 0), dump(t, to, 0))
	// Bits after the prefix mean nothing, so this is one entry still.
	check(t, to.Update(prefix(21, 10, 1, 0xf8, 0), []byte{7, 7, 7, 7}, 0))
	check(t, from.Update(prefix(32, 10, 1, 0xff, 9), []byte{3, 3, 3, 3}, 0))
	copied(t, "CopyMissing", object.CopyCount{Added: 1})(object.CopyMissing(from, to, nil))
	value := make([]byte, 4)
	check(t, to.Lookup(prefix(21, 10, 1, 0xff, 9), value))
	if value[0] != 7 {
		t.Errorf("CopyMissing overwrote an entry: %v", value)
	}
}

// TestMigrateNotCopyable tries every type that cannot be copied, and one that no kernel has yet.
func TestMigrateNotCopyable(t *testing.T) {
	from := shape{sys.MapTypeHash, 4, 4, 4, 0}.make(t, "plain")
	o := load(t, "maps")
	tried := 0
	for _, m := range o.Maps() {
		if _, may := copyable[m.Type()]; may {
			continue
		}
		tried++
		if object.Copyable(m.Type()) {
			t.Errorf("%s may be copied", m.Type())
		}
		for _, sweep := range []func(from, to *object.Map, c object.Converter) (object.CopyCount, error){object.Copy, object.CopyAgain, object.CopyMissing} {
			_, err := sweep(m, from, nil)
			wantError(t, err, object.ErrNoCopy, "copy map", strconv.Quote(m.Name()), m.Type().String())
			_, err = sweep(from, m, nil)
			wantError(t, err, object.ErrNoCopy, "copy map", strconv.Quote(m.Name()), m.Type().String())
		}
	}
	if tried < 10 {
		t.Errorf("only %d maps were tried", tried)
	}
	for typ := range sys.MapType(100) {
		if _, want := copyable[typ]; object.Copyable(typ) != want {
			t.Errorf("%s may be copied: %t, want %t", typ, object.Copyable(typ), want)
		}
	}
}

var errOdd = errors.New("odd")

// TestMigrateRefuses has what is refused before or while anything is copied.
func TestMigrateRefuses(t *testing.T) {
	plain := shape{sys.MapTypeHash, 4, 8, 10, 0}
	for name, c := range map[string]struct {
		to      shape
		convert object.Converter
		kind    error
		parts   []string
	}{
		"keys":       {shape{sys.MapTypeHash, 8, 8, 10, 0}, nil, object.ErrMismatch, []string{"4 bytes", "8"}},
		"values":     {shape{sys.MapTypeHash, 4, 7, 10, 0}, nil, object.ErrMismatch, []string{"8 bytes", "cut to 7"}},
		"per CPU":    {shape{sys.MapTypePercpuHash, 4, 8, 10, 0}, nil, object.ErrMismatch, []string{"every CPU", "hash and percpu_hash"}},
		"new sizes":  {plain, func(k, v []byte) ([]byte, []byte, bool, error) { return k[:3], v[:5], true, nil }, unix.EINVAL, []string{"3 bytes", "5", "4 and 8"}},
		"no sizes":   {plain, func(k, v []byte) ([]byte, []byte, bool, error) { return nil, nil, true, nil }, unix.EINVAL, []string{"0 bytes"}},
		"converter":  {plain, func(k, v []byte) ([]byte, []byte, bool, error) { return k, v, true, errOdd }, errOdd, []string{"odd", "refused"}},
		"read only":  {shape{sys.MapTypeHash, 4, 8, 10, unix.BPF_F_RDONLY}, nil, unix.EPERM, nil},
		"write only": {shape{sys.MapTypeHash, 4, 8, 10, unix.BPF_F_WRONLY}, nil, unix.EPERM, nil},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := plain.make(t, "old"), c.to.make(t, "new")
			put(t, from, 1, 1)
			count, err := object.Copy(from, to, c.convert)
			wantError(t, err, c.kind, append([]string{`copy map "old" to "new"`}, c.parts...)...)
			if count != (object.CopyCount{}) {
				t.Errorf("%+v, want none", count)
			}
		})
	}
}

// TestMigrateClosed closes one map or the other, and copies a map to itself.
func TestMigrateClosed(t *testing.T) {
	plain := shape{sys.MapTypeHash, 4, 8, 10, 0}
	from, to, closed := plain.make(t, "old"), plain.make(t, "new"), plain.make(t, "closed")
	put(t, from, 1, 1)
	check(t, closed.Close())
	_, err := object.Copy(from, closed, nil)
	wantError(t, err, unix.EBADF, `"old" to "closed"`)
	_, err = object.CopyMissing(closed, to, nil)
	wantError(t, err, unix.EBADF, `"closed" to "new"`)
	_, err = object.CopyAgain(from, from, nil)
	wantError(t, err, unix.EINVAL, "the same map")
}
