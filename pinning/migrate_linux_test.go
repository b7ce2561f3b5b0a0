package pinning_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
)

// sessions are the entries that the test puts into the hash: families that no socket has, and how many they were.
const sessionsBefore = 20

// newSessions pins the first build of sessions with entries in its hash, and values in its variables. The options attach it.
func newSessions(t testing.TB) (root *pinning.Root, o order, obj *object.Object) {
	t.Helper()
	root = newRoot(t)
	o = order{Do: "socket", Root: root.Path(), Name: "sessions", Object: "sessions", Cgroup: testenv.Cgroup(t)}
	obj, err := root.Ensure(parse(t, "sessions"), o.options())
	obj = kept(t, obj, err)
	for n := range uint32(sessionsBefore) {
		check(t, obj.Map("sessions").Update(binary.NativeEndian.AppendUint32(nil, 1000+n), binary.NativeEndian.AppendUint64(nil, uint64(n)), 0))
	}
	spec, values := parse(t, "sessions"), make([]byte, obj.Map(".bss").ValueSize())
	binary.NativeEndian.PutUint64(values[spec.Variable("total").Offset():], 7)
	binary.NativeEndian.PutUint64(values[spec.Variable("retired").Offset():], 8)
	check(t, obj.Map(".bss").Update(make([]byte, 4), values, 0))
	return root, o, obj
}

// entries reads a hash with keys of 4 bytes and values of words.
func entries(t testing.TB, m *object.Map) map[uint32][]uint64 {
	t.Helper()
	all := make(map[uint32][]uint64)
	var last []byte
	for key, value := make([]byte, 4), make([]byte, m.ValueSize()); ; last = key {
		err := m.NextKey(last, key)
		if err == unix.ENOENT {
			return all
		}
		check(t, err)
		check(t, m.Lookup(key, value))
		words := make([]uint64, len(value)/8)
		for i := range words {
			words[i] = binary.NativeEndian.Uint64(value[8*i:])
		}
		all[binary.NativeEndian.Uint32(key)] = words
	}
}

// evenOnly keeps the entries of even keys, and puts their count into the new field.
func evenOnly(key, value []byte) (newKey, newValue []byte, keep bool, err error) {
	count := binary.NativeEndian.Uint64(value)
	return key, binary.NativeEndian.AppendUint64(binary.NativeEndian.AppendUint64(nil, count), 100+count), key[0]%2 == 0, nil
}

// migrateAll is options that migrate the hash, by a function or nil, and the variables.
func migrateAll(o *order, convert object.Converter, did *pinning.UpgradePlan) *pinning.Options {
	opts := o.options()
	opts.Upgrade = &pinning.UpgradeOptions{
		Maps: []pinning.MapPolicy{{Name: "sessions", Migrate: pinning.Migrate(convert)}, {Name: ".bss", Migrate: pinning.Migrate(nil)}},
		Did:  func(plan *pinning.UpgradePlan) { *did = *plan },
	}
	return opts
}

// TestMigrate brings the entries of a hash into one with other values and another size, and the variables by their names.
func TestMigrate(t *testing.T) {
	for name, c := range map[string]struct {
		convert object.Converter
		entries func(n uint64) []uint64 // of the value n; nil if it is left out
		copied  object.CopyCount
	}{
		"extended by zeros": {nil, func(n uint64) []uint64 { return []uint64{n, 0} }, object.CopyCount{Copied: sessionsBefore}},
		"converted": {evenOnly, func(n uint64) []uint64 {
			if n%2 == 1 {
				return nil
			}
			return []uint64{n, 100 + n}
		}, object.CopyCount{Copied: sessionsBefore / 2, Dropped: sessionsBefore / 2}},
	} {
		t.Run(name, func(t *testing.T) {
			root, o, old := newSessions(t)
			var did pinning.UpgradePlan
			spec := parse(t, "sessions_v2")
			obj, err := root.Upgrade(spec, migrateAll(&o, c.convert, &did))
			obj = kept(t, obj, err)
			want := make(map[uint32][]uint64)
			for n := range uint64(sessionsBefore) {
				if value := c.entries(n); value != nil {
					want[1000+uint32(n)] = value
				}
			}
			if diff := cmp.Diff(want, entries(t, obj.Map("sessions"))); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
			if total, latest := variable(t, obj, spec, "total"), variable(t, obj, spec, "latest"); total != 7 || latest != 0 {
				t.Errorf("total is %d, want 7; latest is %d, want 0", total, latest)
			}
			copied := make(map[string]object.CopyCount)
			for i := range did.Steps {
				if s := &did.Steps[i]; s.Kind == pinning.KindMap && s.Action == pinning.ActionMigrate {
					copied[s.Name] = s.Copied
				}
			}
			if diff := cmp.Diff(map[string]object.CopyCount{"sessions": c.copied, ".bss": {Copied: 1, Added: 1}}, copied); diff != "" {
				t.Errorf("copied (-want +got):\n%s", diff)
			}
			if got := obj.Map("sessions").MaxEntries(); got != 64 || obj.Link("count", "cgroup").ID() != old.Link("count", "cgroup").ID() {
				t.Errorf("the map has room for %d, want 64; or the link is another one", got)
			}
			newWorker(t, inCgroup(t, o.Cgroup)).do(o)
			if n := entries(t, obj.Map("sessions"))[unix.AF_INET]; len(n) != 2 || n[0] != 1 {
				t.Errorf("a socket was counted as %v", n)
			}
			whole(t, root, "sessions", obj)
			check(t, root.Unpin("sessions", nil))
		})
	}
}

// TestMigrateFails: the old object runs on, whole, with all that it had.
func TestMigrateFails(t *testing.T) {
	failed := errors.New("failed on purpose")
	for name, c := range map[string]struct {
		room    uint32
		convert object.Converter
		want    error
		words   []string
	}{
		"of a function": {64, func(key, value []byte) ([]byte, []byte, bool, error) {
			if binary.NativeEndian.Uint32(key) == 1007 {
				return nil, nil, false, failed
			}
			return evenOnly(key, value)
		}, failed, []string{"sessions"}},
		"a full target":       {4, nil, unix.E2BIG, []string{"sessions", "32", "4"}},
		"too long for target": {64, func(key, value []byte) ([]byte, []byte, bool, error) { return key, make([]byte, 17), true, nil }, nil, []string{"sessions", "17"}},
	} {
		t.Run(name, func(t *testing.T) {
			root, o, old := newSessions(t)
			before := entries(t, old.Map("sessions"))
			spec := parse(t, "sessions_v2")
			spec.Map("sessions").MaxEntries = c.room
			var did pinning.UpgradePlan
			unchanged(t, root, func() {
				_, err := root.Upgrade(spec, migrateAll(&o, c.convert, &did))
				if c.want == nil {
					c.want = err
				}
				want(t, err, c.want, c.words...)
			})
			if err := c.want; err == nil || did.To != 0 {
				t.Errorf("it was done: %+v", did)
			}
			whole(t, root, "sessions", old)
			newWorker(t, inCgroup(t, o.Cgroup)).do(o)
			before[unix.AF_INET] = []uint64{1}
			if diff := cmp.Diff(before, entries(t, old.Map("sessions"))); diff != "" {
				t.Errorf("entries after one more socket (-want +got):\n%s", diff)
			}
			if n := variable(t, old, parse(t, "sessions"), "total"); n != 8 {
				t.Errorf("total is %d, want 8", n)
			}
			if n := countLinks(t, "count"); n != 1 {
				t.Errorf("%d links run the program, want 1", n)
			}
			check(t, root.Unpin("sessions", nil))
		})
	}
}
