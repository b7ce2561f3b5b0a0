package object

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// addArena gives the arena the global data of section .addr_space.1, which comes first in it.
func (b *mapBuilder) addArena() error {
	sec := b.src.only(roleArena)
	if sec == nil {
		return nil
	}
	fail := func(what string) error {
		return malformed(text.Form("section {} has global data for an arena, but {}").Quote(sec.Name).Add(what).String())
	}
	arena := -1
	for i := range b.specs {
		if b.specs[i].Type != sys.MapTypeArena {
			continue
		}
		if arena >= 0 {
			return fail(text.Form("both {} and {} are arenas").Quote(b.specs[arena].Name).Quote(b.specs[i].Name).String())
		}
		arena = i
	}
	if arena < 0 {
		return fail("no map is an arena; define one in .maps")
	}
	b.specs[arena].Data = append(make([]byte, 0, len(sec.Data)), sec.Data...)
	b.src.sections[sec.Index].dataMap = int32(arena)
	return nil
}

// isData reports whether a section has global data, for a map of its own or for an arena.
func (src *source) isData(section int) bool {
	return src.sections[section].role == roleData || src.sections[section].role == roleArena
}

// checkArena looks at what would be written outside of an arena, or could not be written.
func (m *MapSpec) checkArena() error {
	const segvOnFault = 1 << 17 // BPF_F_SEGV_ON_FAULT
	switch {
	case uint64(len(m.Data)) > uint64(m.MaxEntries)*uint64(unix.Getpagesize()):
		return badSpec(text.Form("arena {} has {} bytes of global data, but only {} pages; set MaxEntries").Quote(m.Name).Int(len(m.Data)).Uint(uint64(m.MaxEntries)).String())
	case len(m.Data) > 0 && m.Flags&segvOnFault != 0:
		return badSpec(text.Form("arena {} has global data, which user space cannot write to memory that only programs get (BPF_F_SEGV_ON_FAULT); take the flag away").Quote(m.Name).String())
	}
	return nil
}

// makeArena creates an arena, maps it, and writes its global data. It stays mapped, since its programs hold addresses of this process.
//
// Where it lies is decided first, and said in map_extra. An arena that learns it from its first mapping, as libbpf's do, tells nobody: another process could open its
// pin, but not map it.
func (l *loader) makeArena(m *MapSpec) (*Map, error) {
	placed, size := *m, uintptr(m.MaxEntries)*uintptr(unix.Getpagesize())
	var room []byte
	if m.Extra == 0 {
		var err error
		if room, err = reserveArena(size); err != nil {
			return nil, arenaError(m.Name, err)
		}
		placed.Extra = uint64(uintptr(unsafe.Pointer(unsafe.SliceData(room))))
	}
	fd, err := l.createPlain(&placed, nil)
	if err != nil {
		unmap(room)
		return nil, err
	}
	made, err := NewMap(m.Name, fd)
	if err != nil {
		unmap(room)
		return nil, err
	}
	made.memory = room
	if err := made.mapArena(); err != nil {
		made.Close()
		return nil, arenaError(m.Name, err)
	}
	copy(made.memory, m.Data)
	return made, nil
}

// reserveArena finds room for an arena in the process's memory. The kernel wants it between two multiples of 4 GiB (arena_map_alloc in kernel/bpf/arena.c).
func reserveArena(size uintptr) ([]byte, error) {
	if size == 0 || uint64(size) > 1<<32 {
		return nil, unix.EINVAL
	}
	p, err := unix.MmapPtr(-1, 0, nil, 2*size, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, err
	}
	room, at, before := unsafe.Slice((*byte)(p), 2*size), uint64(uintptr(p)), uint64(0)
	if at>>32 != (at+uint64(size)-1)>>32 {
		before = -at & (1<<32 - 1) // up to the multiple
	}
	unmap(room[:before])
	unmap(room[before+uint64(size):])
	return room[before : before+uint64(size)], nil
}

// Arena gives the memory of an arena (BPF_MAP_TYPE_ARENA), where programs and this process both read and write: pointers in it are addresses, of [unsafe.Pointer]'s kind, of this process. Global
// variables of section .addr_space.1 lie in it at their Offset. It is the same memory in each call, and must not be used once the map is closed.
//
// An arena that was loaded here is mapped already. One that was opened is mapped by the first call, at the only addresses where the kernel allows it, those where its programs look: EEXIST if the process
// has something there, such as another handle of the arena; EINVAL if the map is no arena, or if the loader that made it kept its address to itself (it did not set map_extra).
//
// It needs Linux 6.9, on x86-64, arm64 or another machine whose compiler for programs knows arenas, and a 64-bit process.
func (m *Map) Arena() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.memory != nil {
		return m.memory, nil
	}
	if err := m.mapArena(); err != nil {
		return nil, arenaError(m.name, err)
	}
	return m.memory, nil
}

// mapArena maps an arena where map_extra says; in the place of m.memory, if that is room for it.
func (m *Map) mapArena() error {
	size, flags := uintptr(m.info.MaxEntries)*uintptr(unix.Getpagesize()), unix.MAP_SHARED|unix.MAP_FIXED_NOREPLACE
	at := unsafe.Add(unsafe.Pointer(nil), uintptr(m.info.MapExtra))
	switch {
	case m.info.Type != sys.MapTypeArena || m.info.MapExtra == 0 || uint64(uintptr(at)) != m.info.MapExtra:
		return unix.EINVAL
	case m.memory != nil:
		flags = unix.MAP_SHARED | unix.MAP_FIXED
	}
	p, err := unix.MmapPtr(m.fd.Int(), 0, at, size, unix.PROT_READ|unix.PROT_WRITE, flags)
	if err != nil {
		return err
	}
	m.memory = unsafe.Slice((*byte)(p), size)
	return nil
}

func arenaError(name string, err error) error {
	do := ""
	switch err {
	case unix.EEXIST:
		do = "the process has something else at the arena's addresses, or has it mapped already"
	case unix.EINVAL:
		do = "it is no arena, or it was made without map_extra, so that nothing tells where it lies"
	}
	return sys.Fail("map the memory of arena", text.Quote(name), err, do)
}

// unmap gives memory back.
func unmap(memory []byte) {
	if len(memory) > 0 {
		unix.MunmapPtr(unsafe.Pointer(unsafe.SliceData(memory)), uintptr(len(memory)))
	}
}
