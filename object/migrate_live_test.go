package object_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// churn adds, changes and removes entries from a number on until the function that it gives is called, which says how often it did.
func churn(t testing.TB, m *object.Map, first, n uint32) (stop func() int) {
	end, done, changes := make(chan struct{}), sync.WaitGroup{}, 0
	started := make(chan struct{})
	done.Go(func() {
		random, value := rand.New(rand.NewPCG(1, 2)), make([]byte, m.ValueSize())
		for ; ; changes++ {
			select {
			case <-end:
				return
			default:
			}
			if changes == 100 {
				close(started)
			}
			k := key(m, first+random.Uint32N(n))
			value[0]++
			if changes%2 == 0 {
				if err := m.Update(k, value, 0); err != nil {
					t.Errorf("update: %v", err)
				}
			} else if err := m.Delete(k); err != nil && err != unix.ENOENT {
				t.Errorf("delete: %v", err)
			}
		}
	})
	<-started
	return func() int {
		close(end)
		done.Wait()
		return changes
	}
}

// TestMigrateLive copies maps that another thread changes all the time. What it leaves alone must be there after each copy.
func TestMigrateLive(t *testing.T) {
	const fixed, moving = 2000, 2000
	for typ, keySize := range copyable {
		if typ == sys.MapTypeArray || typ == sys.MapTypePercpuArray {
			continue
		}
		t.Run(typ.String(), func(t *testing.T) {
			from := shape{typ, keySize, 40, 20000, 0}.make(t, "old")
			for i := range uint32(fixed) {
				put(t, from, i*2, 1)
			}
			want := dump(t, from, 0)
			stop := churn(t, from, 2*fixed, moving)
			for range 4 {
				to := shape{typ, keySize, 40, 20000, 0}.make(t, "new")
				count, err := object.Copy(from, to, nil)
				if err != nil {
					t.Error(err)
					break
				}
				if count.Copied < fixed || count.Copied > fixed+2*moving {
					t.Errorf("%+v, but there are %d entries at least", count, fixed)
				}
				checkFixed(t, want, to)
				check(t, to.Close())
			}
			t.Logf("%d changes meanwhile", stop())
			to := shape{typ, keySize, 40, 20000, 0}.make(t, "new")
			_, err := object.Copy(from, to, nil)
			check(t, err)
			same(t, dump(t, from, 0), dump(t, to, 0))
		})
	}
}

// checkFixed looks for entries in a map.
func checkFixed(t testing.TB, want map[string]string, m *object.Map) {
	t.Helper()
	got, bad := dump(t, m, 0), 0
	for key, value := range want {
		if got[key] != value {
			bad++
		}
	}
	if bad > 0 {
		t.Errorf("%d of %d entries that nobody changed were not copied", bad, len(want))
	}
}

// TestMigrateMany moves 20 000 entries, and says how long it takes.
func TestMigrateMany(t *testing.T) {
	const n = 20_000
	for name, s := range map[string]shape{
		"hash":            {sys.MapTypeHash, 16, 64, n, 0},
		"hash, no memory": {sys.MapTypeHash, 16, 64, n, unix.BPF_F_NO_PREALLOC},
		"LRU hash":        {sys.MapTypeLRUHash, 16, 64, 2 * n, 0},
		"per-CPU hash":    {sys.MapTypePercpuHash, 16, 64, n, 0},
		"array":           {sys.MapTypeArray, 4, 64, n, 0},
		"per-CPU array":   {sys.MapTypePercpuArray, 4, 64, n, 0},
		"LPM trie":        {sys.MapTypeLPMTrie, 8, 64, n + 1, 0}, // a full one takes no other value on Linux 5.10
	} {
		t.Run(name, func(t *testing.T) {
			from := s.make(t, "old")
			s.entries *= 2
			to := s.make(t, "new")
			for i := range uint32(n) {
				put(t, from, i, 1)
			}
			start := time.Now()
			copied(t, "Copy", object.CopyCount{Copied: n})(object.Copy(from, to, nil))
			first := time.Since(start)
			put(t, from, 5, 2)
			start = time.Now()
			copied(t, "CopyAgain", object.CopyCount{Changed: 1})(object.CopyAgain(from, to, nil))
			t.Logf("%d entries: Copy took %v, CopyAgain %v", n, first, time.Since(start))
			same(t, dump(t, from, 0), existingEntries(to, dump(t, to, 0), n))
		})
	}
}

// existingEntries takes the entries of a larger array away that the old one lacked.
func existingEntries(m *object.Map, all map[string]string, n uint32) map[string]string {
	for key := range all {
		if isArray(m) && binary.NativeEndian.Uint32([]byte(key)) >= n {
			delete(all, key)
		}
	}
	return all
}

// TestMigrateLargeBuckets has values so large that a batch has one entry, which a bucket with two does not fit in.
func TestMigrateLargeBuckets(t *testing.T) {
	s := shape{sys.MapTypeHash, 4, 1 << 18, 64, 0}
	from, to := s.make(t, "old"), s.make(t, "new")
	for i := range uint32(64) {
		put(t, from, i, 1)
	}
	copied(t, "Copy", object.CopyCount{Copied: 64})(object.Copy(from, to, nil))
	copied(t, "CopyAgain", object.CopyCount{})(object.CopyAgain(from, to, nil))
}

// TestMigrateKeyByKey goes without batches, as where the kernel has none.
func TestMigrateKeyByKey(t *testing.T) {
	for typ, keySize := range copyable {
		t.Run(typ.String(), func(t *testing.T) {
			m := shape{typ, keySize, 12, 5000, 0}.make(t, "map")
			for i := range uint32(500) {
				put(t, m, i, 1)
			}
			want := dump(t, m, 0)
			if typ != sys.MapTypeArray && typ != sys.MapTypePercpuArray {
				stop := churn(t, m, 1000, 1)
				for range 5 {
					got, err := object.ReadByKey(m)
					if err != nil {
						t.Error(err)
						break
					}
					for key := range want {
						if _, ok := got[key]; !ok {
							t.Errorf("%x is missing", key)
						}
					}
				}
				stop()
				_ = m.Delete(key(m, 1000))
			}
			got, err := object.ReadByKey(m)
			check(t, err)
			for key, value := range got {
				got[key] = string(bytes.Join(values(m, []byte(value)), nil))
			}
			same(t, want, got)
		})
	}
}

// TestMigrateEnds lets nothing come but what was there, and new entries without end.
func TestMigrateEnds(t *testing.T) {
	m := shape{sys.MapTypeLPMTrie, 8, 4, 100, 0}.make(t, "map")
	for name, c := range map[string]struct {
		different uint32
		most      int
	}{"repeats": {1, 5000}, "new": {1 << 30, 5000}} {
		n, err := object.Meet(m, func(n uint32) []byte { return key(m, n%c.different) })
		if err != unix.EBUSY || n > c.most {
			t.Errorf("%s: %v after %d entries, want EBUSY after %d at most", name, err, n, c.most)
		}
	}
}

// TestMigrateLocks copies values with a lock, which another thread changes under it: both halves of a value are always the same.
func TestMigrateLocks(t *testing.T) {
	for _, typ := range []sys.MapType{sys.MapTypeHash, sys.MapTypeArray} {
		t.Run(typ.String(), func(t *testing.T) {
			from, to := lockMap(t, typ, "old"), lockMap(t, typ, "new")
			end, done := make(chan struct{}), sync.WaitGroup{}
			write := func(n uint64) error {
				value := make([]byte, lockValue)
				for at := 8; at < lockValue; at += 8 {
					binary.NativeEndian.PutUint64(value[at:], n)
				}
				return from.Update(key(from, 0), value, unix.BPF_F_LOCK)
			}
			check(t, write(1))
			done.Go(func() {
				for n := uint64(2); ; n++ {
					select {
					case <-end:
						return
					default:
					}
					if err := write(n); err != nil {
						t.Errorf("update: %v", err)
						return
					}
				}
			})
			for range 2000 {
				if _, err := object.Copy(from, to, nil); err != nil {
					t.Error(err)
					break
				}
				value := make([]byte, lockValue)
				check(t, to.Lookup(key(to, 0), value))
				if first, last := value[8:16], value[lockValue-8:]; !bytes.Equal(first, last) || bytes.Equal(first, make([]byte, 8)) {
					t.Errorf("half of one value and half of another: %x and %x", first, last)
					break
				}
			}
			close(end)
			done.Wait()
		})
	}
}

const lockValue = 1024

// lockMap makes a map of values that begin with a struct bpf_spin_lock.
func lockMap(t testing.TB, typ sys.MapType, name string) *object.Map {
	t.Helper()
	b := &types{}
	number := b.integer()
	lock := b.add(kindStruct, "bpf_spin_lock", 1, 4, b.text("val"), number, 0)
	rest := b.array(number, lockValue/4-2)
	value := b.add(kindStruct, "locked", 2, lockValue, b.text("lock"), lock, 0, b.text("rest"), rest, 64)
	raw := b.bytes()
	fd, err := sys.BTFLoad(&sys.BTFLoadAttr{BTF: sys.Slice(raw), BTFSize: uint32(len(raw))})
	check(t, err)
	defer fd.Close()
	return own(t, name, &sys.MapCreateAttr{MapType: typ, KeySize: 4, ValueSize: lockValue, MaxEntries: 4,
		BTFFD: fd.Attr(), BTFKeyTypeID: number, BTFValueTypeID: value})
}
