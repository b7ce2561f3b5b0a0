package object_test

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// lookup32 reads a value of a map with keys of 32 bits; nil if there is none.
func lookup32(t testing.TB, m *object.Map, key uint32) []byte {
	t.Helper()
	value := make([]byte, m.ValueSize())
	err := m.Lookup(binary.NativeEndian.AppendUint32(nil, key), value)
	if err == unix.ENOENT {
		return nil
	}
	check(t, err)
	return value
}

// TestLoadWritesGlobals compares all maps of global data with the spec, whose constants cannot be written any more.
func TestLoadWritesGlobals(t *testing.T) {
	s := open(t, "globals")
	for _, m := range s.Maps {
		if !m.Freeze && m.Data != nil {
			m.Data[len(m.Data)-1] ^= 0x5a
		}
	}
	o := loadSpec(t, s, nil)
	frozen := 0
	for _, m := range s.Maps {
		if m.Data == nil {
			continue
		}
		got := lookup32(t, o.Map(m.Name), 0)
		if diff := cmp.Diff(m.Data, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", m.Name, diff)
		}
		var want error
		if m.Freeze {
			want = unix.EPERM
			frozen++
		}
		if err := o.Map(m.Name).Update(make([]byte, 4), got, 0); err != want {
			t.Errorf("writing to %s: %v, want %v", m.Name, err, want)
		}
	}
	if frozen < 2 {
		t.Errorf("only %d maps were frozen", frozen)
	}
}

func TestLoadFillsMapsOfMaps(t *testing.T) {
	o := load(t, "map_in_map")
	got := map[string]map[uint32]uint32{}
	for _, name := range []string{"by_index", "by_hash"} {
		got[name] = map[uint32]uint32{}
		for key := range uint32(5) {
			if value := lookup32(t, o.Map(name), key); value != nil {
				got[name][key] = binary.NativeEndian.Uint32(value)
			}
		}
	}
	red, blue := o.Map("red").ID(), o.Map("blue").ID()
	want := map[string]map[uint32]uint32{"by_index": {0: red, 3: blue, 4: red}, "by_hash": {1: blue}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ids of inner maps, -want +got:\n%s", diff)
	}
}

// TestLoadFillsProgramArrays runs a chain of tail calls.
func TestLoadFillsProgramArrays(t *testing.T) {
	o := load(t, "tailcall")
	for key, name := range map[uint32]string{0: "first", 2: "second"} {
		if value := lookup32(t, o.Map("jumps"), key); value == nil || binary.NativeEndian.Uint32(value) != o.Program(name).ID() {
			t.Errorf("slot %d holds program id %v, want %d", key, value, o.Program(name).ID())
		}
	}
	run := sys.ProgTestRunAttr{ProgFD: o.Program("entry").FD().Attr(), DataIn: sys.Slice(make([]byte, 64)), DataSizeIn: 64}
	check(t, sys.ProgTestRun(&run))
	// Socket filters see the packet without the 14 bytes of Ethernet.
	if run.Retval != 64-14 && run.Retval != 64 {
		t.Errorf("the last program of the chain returns the length, not %d", run.Retval)
	}
	for _, name := range []string{"entered", "reached_first", "reached_second"} {
		if n := variable(t, o, name); n != 1 {
			t.Errorf("%s is %d, want 1", name, n)
		}
	}
}

// variable reads a global variable of 8 bytes of a loaded object.
func variable(t testing.TB, o *object.Object, name string) uint64 {
	t.Helper()
	v := o.Spec().Variable(name)
	data := lookup32(t, o.Map(v.Map().Name), 0)
	return binary.NativeEndian.Uint64(data[v.Offset():])
}

// TestLoadBindsConstants looks for constants among the maps of a program that does not use them.
func TestLoadBindsConstants(t *testing.T) {
	s := open(t, "globals")
	o := loadSpec(t, s, nil)
	for _, p := range o.Programs() {
		ids := make([]uint32, 64)
		info := sys.ProgInfo{NrMapIDs: uint32(len(ids)), MapIDs: sys.Slice(ids)}
		_, err := sys.GetInfo(p.FD(), &info)
		check(t, err)
		has := map[uint32]int{}
		for _, id := range ids[:info.NrMapIDs] {
			has[id]++
		}
		for _, m := range s.Maps {
			if m.Freeze && has[o.Map(m.Name).ID()] != 1 {
				t.Errorf("program %s holds map %s %d times", p.Name(), m.Name, has[o.Map(m.Name).ID()])
			}
		}
	}
}

// TestLoadSizes compares what the kernel was told with what is in the object.
func TestLoadSizes(t *testing.T) {
	o := load(t, "maps")
	if n := o.Map("ringbuf_odd").MaxEntries(); n != 131072 {
		t.Errorf("a ring buffer of 70000 bytes has %d", n)
	}
	if n := o.Map("ringbuf").MaxEntries(); n != 65536 {
		t.Errorf("a ring buffer of 65536 bytes has %d", n)
	}
	if n := o.Map("perf_event_array").MaxEntries(); n == 0 {
		t.Error("the array of perf events has no entries")
	}
	for _, c := range []struct{ size, page, want uint32 }{
		{0, 4096, 0}, {1, 4096, 4096}, {4096, 4096, 4096}, {4097, 4096, 8192}, {1 << 16, 1 << 16, 1 << 16}, {5, 1 << 16, 1 << 16},
		{1<<31 - 1, 4096, 1 << 31}, {1 << 31, 4096, 1 << 31}, {1<<31 + 1, 4096, 1<<31 + 1}, {1<<32 - 1, 4096, 1<<32 - 1},
	} {
		if got := object.RingSize(c.size, c.page); got != c.want {
			t.Errorf("RingSize(%d, %d) = %d, want %d", c.size, c.page, got, c.want)
		}
	}
}

// TestLoadIgnoresOddPinning loads maps whose values of pinning mean nothing.
func TestLoadIgnoresOddPinning(t *testing.T) {
	s := open(t, "pinned_odd")
	o := loadSpec(t, s, nil)
	for _, m := range s.Maps {
		if !m.PinIgnored() || o.Map(m.Name) == nil {
			t.Errorf("map %s with pinning %d is ignored: %t", m.Name, m.Pinning, m.PinIgnored())
		}
	}
}
