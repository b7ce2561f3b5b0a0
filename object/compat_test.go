package object_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// existing gives maps by their names.
type existing map[string]*object.Map

// ExistingMap gives a handle of its own, as the interface asks for.
func (e existing) ExistingMap(m *object.MapSpec) (*object.Map, error) {
	if e[m.Name] == nil {
		return nil, nil
	}
	fd, err := e[m.Name].FD().Dup()
	if err != nil {
		return nil, err
	}
	return object.NewMap(m.Name, fd)
}

// fields gives the fields that an error says are different.
func fields(t testing.TB, err error) (names []string) {
	t.Helper()
	if err == nil {
		return nil
	}
	var mismatch *object.MismatchError
	if !errors.As(err, &mismatch) || !errors.Is(err, object.ErrMismatch) {
		t.Fatalf("error %v, want a MismatchError", err)
	}
	for _, d := range mismatch.Fields {
		names = append(names, d.Field)
		wantError(t, err, object.ErrMismatch, mismatch.Map, d.Field, d.Want, d.Have)
	}
	return names
}

func TestCompatible(t *testing.T) {
	const noCommonLRU = 1 << 1
	for name, c := range map[string]struct {
		object, with string // what exists, and the spec it is to fit
		mapName      string
		change       func(m *object.MapSpec) // of the spec
		want         []string
	}{
		"same":         {"events_a", "events_b", "events", func(m *object.MapSpec) {}, nil},
		"type":         {"events_a", "events_a", "events", func(m *object.MapSpec) { m.Type = sys.MapTypeLRUHash }, []string{"type"}},
		"key size":     {"events_a", "events_a", "events", func(m *object.MapSpec) { m.KeySize++ }, []string{"key size"}},
		"value size":   {"events_a", "events_a", "events", func(m *object.MapSpec) { m.ValueSize-- }, []string{"value size"}},
		"entries":      {"events_a", "events_b_big", "events", func(m *object.MapSpec) {}, []string{"max entries"}},
		"flags":        {"events_a", "events_a", "events", func(m *object.MapSpec) { m.Flags |= unix.BPF_F_NO_PREALLOC }, []string{"flags"}},
		"open flags":   {"events_a", "events_a", "events", func(m *object.MapSpec) { m.Flags |= unix.BPF_F_RDONLY }, nil},
		"extra":        {"events_a", "events_a", "events", func(m *object.MapSpec) { m.Extra = 7 }, []string{"map extra"}},
		"BTF":          {"events_a", "events_btf", "events", func(m *object.MapSpec) {}, []string{"BTF of value"}},
		"other keys":   {"maps", "maps", "hash", func(m *object.MapSpec) { *m = *other(t, "lru_percpu_hash") }, []string{"max entries", "type", "key size", "BTF of key"}},
		"devmap":       {"maps", "maps", "devmap", func(m *object.MapSpec) {}, nil},
		"devmap hash":  {"maps", "maps", "devmap_hash", func(m *object.MapSpec) { m.Flags |= unix.BPF_F_RDONLY_PROG }, nil},
		"rounded":      {"maps", "maps", "ringbuf_odd", func(m *object.MapSpec) { m.MaxEntries = 131072 }, nil},
		"global data":  {"counter", "counter_v2", ".bss", func(m *object.MapSpec) {}, []string{"value size", "BTF of value"}},
		"inner":        {"map_in_map", "map_in_map", "by_index", func(m *object.MapSpec) { m.Inner.ValueSize = 16 }, []string{"inner value size"}},
		"inner type":   {"map_in_map", "map_in_map", "by_hash", func(m *object.MapSpec) { m.Inner.Type = sys.MapTypeLRUHash }, []string{"inner type"}},
		"inner size":   {"map_in_map", "map_in_map", "by_hash", func(m *object.MapSpec) { m.Inner.MaxEntries = 9 }, nil},
		"empty outer":  {"map_in_map", "map_in_map", "empty", func(m *object.MapSpec) { m.Inner.ValueSize = 99 }, nil},
		"many at once": {"events_a", "events_b_big", "events", func(m *object.MapSpec) { m.KeySize, m.Type, m.Flags = 1, 1000, 1 }, []string{"max entries", "type", "key size", "flags"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := load(t, c.object)
			m := open(t, c.with).Map(c.mapName)
			c.change(m)
			if diff := cmp.Diff(c.want, fields(t, m.Compatible(o.Map(c.mapName)))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	// The kernel rounds the entries of an LRU with a list for every processor up.
	s := open(t, "maps")
	s.Map("lru_hash").Flags |= noCommonLRU
	s.Map("lru_hash").MaxEntries = 1001
	o := loadSpec(t, s, nil)
	check(t, s.Map("lru_hash").Compatible(o.Map("lru_hash")))
}

func other(t testing.TB, name string) *object.MapSpec { return open(t, "maps").Map(name) }

// TestLoadReusesMaps loads an object again with the maps of its first load, which must be used and keep what they hold.
func TestLoadReusesMaps(t *testing.T) {
	first := load(t, "counter")
	packets, bss := first.Map("packets"), first.Map(".bss")
	key, value := make([]byte, 4), []byte{1, 2, 3, 4, 5, 6, 7, 8}
	check(t, packets.Update(key, value, 0))
	check(t, bss.Update(key, value, 0))
	s := open(t, "counter")
	s.Map(".bss").Data[0] = 99
	again := loadSpec(t, s, &object.LoadOptions{Maps: existing{"packets": packets, ".bss": bss, ".rodata": first.Map(".rodata")}})
	for _, m := range again.Maps() {
		if m.ID() != first.Map(m.Name()).ID() {
			t.Errorf("map %s was created again", m.Name())
		}
	}
	for _, m := range []*object.Map{again.Map("packets"), again.Map(".bss")} {
		if diff := cmp.Diff(value, lookup32(t, m, 0)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", m.Name(), diff)
		}
	}
}

// TestLoadRefusesMaps offers maps that do not fit. Their handles must be closed, which the leak check sees.
func TestLoadRefusesMaps(t *testing.T) {
	a := load(t, "events_a")
	_, err := open(t, "events_btf").Load(&object.LoadOptions{Maps: existing{"events": a.Map("events")}})
	wantError(t, err, object.ErrMismatch, "load object", `"events"`, `want struct "event"`, `"bytes"`, `"time"`)

	counter := load(t, "counter")
	s := open(t, "counter")
	check(t, s.Variable("sample").Set([]byte{9, 0, 0, 0}))
	_, err = s.Load(&object.LoadOptions{Maps: existing{".rodata": counter.Map(".rodata")}})
	if diff := cmp.Diff([]string{"contents"}, fields(t, err)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	wantError(t, err, object.ErrMismatch, "want 9 at byte 0", "have 1 at byte 0")
}

func TestPerCPUSize(t *testing.T) {
	for _, c := range []struct{ size, cpus, want int }{{4, 1, 8}, {4, 8, 64}, {8, 3, 24}, {12, 16, 256}} {
		if got := object.PerCPUSize(c.size, c.cpus); got != c.want {
			t.Errorf("%d bytes for %d CPUs take %d, want %d", c.size, c.cpus, got, c.want)
		}
	}
}
