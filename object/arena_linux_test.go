package object_test

import (
	"encoding/binary"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// node is what the program of arena makes.
type node struct {
	next  *node
	value uint64
}

// arenaOf gives the memory of an object's arena.
func arenaOf(t *testing.T, m *object.Map) []byte {
	t.Helper()
	memory, err := m.Arena()
	check(t, err)
	return memory
}

// list reads the values in the arena's list, which begins at the variable head, through the pointers that the program wrote.
func list(memory []byte, s *object.Spec) (values []uint64) {
	head := (**node)(unsafe.Pointer(&memory[s.Variable("head").Offset()]))
	for n := *head; n != nil; n = n.next {
		values = append(values, n.value)
	}
	return values
}

// wantList compares that list.
func wantList(t *testing.T, memory []byte, s *object.Spec, want ...uint64) {
	t.Helper()
	got := list(memory, s)
	for i := range want {
		if len(got) != len(want) || got[i] != want[i] {
			t.Fatalf("the list is %d, want %d", got, want)
		}
	}
}

// TestArena has a program make a list in an arena, which this process reads and changes; and finds it again by the arena's pin.
func TestArena(t *testing.T) {
	testenv.Object(t, objectsDir, "arena")
	for name, extra := range map[string]uint64{"where there is room": 0, "where map_extra says": 1 << 44} {
		t.Run(name, func(t *testing.T) {
			s := open(t, "arena")
			s.Map("arena").Extra = extra
			check(t, s.Variable("count").Set(binary.NativeEndian.AppendUint64(nil, 50)))
			o, err := s.Load(needed(t, s))
			check(t, err)
			defer o.Close()
			memory := arenaOf(t, o.Map("arena"))
			if at := uint64(uintptr(unsafe.Pointer(&memory[0]))); at != o.Map("arena").Info().MapExtra || extra != 0 && at != extra || len(memory) != 16*unix.Getpagesize() {
				t.Errorf("%d bytes at %#x, map_extra %#x", len(memory), at, o.Map("arena").Info().MapExtra)
			}
			run(t, o, "push", 0)
			memory[s.Variable("filler").Offset()] = 9
			run(t, o, "push", 0)
			wantList(t, memory, s, 52, 51)
			wantVariables(t, o, map[string]uint64{"seen": 9})

			pin := filepath.Join(testenv.BPFFS(t), "arena")
			check(t, sys.ObjPin(&sys.ObjAttr{Pathname: must(sys.CString(pin)), BPFFD: o.Map("arena").FD().Attr()}))
			again, err := object.OpenMap(pin)
			check(t, err)
			defer again.Close()
			_, err = again.Arena()
			wantError(t, err, unix.EEXIST, "arena", "has it mapped already")
			check(t, s.Map("arena").Compatible(again))
			check(t, o.Close())
			wantList(t, arenaOf(t, again), s, 52, 51)
		})
	}
}

// TestArenas: two arenas of one process do not meet, and both go when they are closed.
func TestArenas(t *testing.T) {
	testenv.Object(t, objectsDir, "arena")
	first, second := load(t, "arena"), load(t, "arena")
	run(t, first, "push", 0)
	wantList(t, arenaOf(t, first.Map("arena")), first.Spec(), 41)
	wantList(t, arenaOf(t, second.Map("arena")), second.Spec())
	run(t, second, "push", 0)
	run(t, second, "push", 0)
	wantList(t, arenaOf(t, first.Map("arena")), first.Spec(), 41)
	wantList(t, arenaOf(t, second.Map("arena")), second.Spec(), 42, 41)
}

// TestArenaRefused: what could not be written, or lies where something else is.
func TestArenaRefused(t *testing.T) {
	_, err := load(t, "counter").Maps()[0].Arena()
	wantError(t, err, unix.EINVAL, "it is no arena")
	for want, change := range map[string]func(m *object.MapSpec){
		"only 1 pages":         func(m *object.MapSpec) { m.MaxEntries = 1 },
		"BPF_F_SEGV_ON_FAULT":  func(m *object.MapSpec) { m.Flags |= 1 << 17 },
		"has room for 0 entri": func(m *object.MapSpec) { m.MaxEntries = 0 },
	} {
		s := open(t, "arena")
		s.Map("arena").Data = make([]byte, unix.Getpagesize()+1)
		change(s.Map("arena"))
		_, err := s.Load(needed(t, s))
		wantError(t, err, object.ErrSpec, `"arena"`, want)
	}
	testenv.Object(t, objectsDir, "arena")
	o, s := load(t, "arena"), open(t, "arena")
	s.Map("arena").Extra = o.Map("arena").Info().MapExtra
	_, err = s.Load(needed(t, s))
	wantError(t, err, unix.EEXIST, "map the memory of arena", "something else at the arena's addresses")
}

// TestArenaMalformed: global data for an arena, without one, or with two.
func TestArenaMalformed(t *testing.T) {
	m := sample()
	m.parts = append(m.parts, part{name: ".addr_space.1", typ: elf.SHT_PROGBITS, flags: elf.SHF_ALLOC, data: make([]byte, 8)})
	_, err := m.parse()
	wantError(t, err, object.ErrFormat, ".addr_space.1", "no map is an arena")
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
