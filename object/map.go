package object

import (
	"sync"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// Map is a map in the kernel. Closing it frees it unless a program, a pin or another handle uses it.
type Map struct {
	name      string
	info      sys.MapInfo
	valueSize int // of a value as lookups and updates pass it
	fd        *sys.FD

	mu     sync.Mutex // guards what follows
	memory []byte     // of an arena that is mapped
}

// NewMap makes a map of its descriptor and owns it from then on, also if it fails.
func NewMap(name string, fd *sys.FD) (*Map, error) {
	m := &Map{name: name, fd: fd}
	if _, err := sys.GetInfo(fd, &m.info); err != nil {
		fd.Close()
		return nil, sys.Fail("ask about map", name, err, "")
	}
	m.valueSize = int(m.info.ValueSize)
	if perCPU(m.info.Type) {
		cpus, err := possibleCPUs()
		if err != nil {
			fd.Close()
			return nil, sys.Fail("count the processors for map", name, err, "")
		}
		m.valueSize = perCPUSize(m.valueSize, cpus)
	}
	return m, nil
}

// OpenMap opens a pinned map by its path. It links neither the ELF reader nor the loader, so it is all that a small program needs to
// read a map that another one pinned. The map's name is the path. It follows symbolic links; package pinning does not.
//
// The error wraps the errno of BPF_OBJ_GET: ENOENT if nothing is pinned there, EACCES for a file that is no pin or may not be opened,
// EPERM for a path with a dot in a name, which bpffs refuses, or on a kernel that keeps bpf(2) to the privileged.
func OpenMap(path string) (*Map, error) {
	name, err := sys.CString(path)
	if err != nil {
		return nil, sys.Fail("open pinned map", text.Quote(path), err, "")
	}
	fd, err := sys.ObjGet(&sys.ObjAttr{Pathname: name})
	if err != nil {
		return nil, sys.Fail("open pinned map", path, err, "")
	}
	kind, _, err := sys.KindOf(fd)
	if err == nil && kind != sys.KindMap {
		fd.Close()
		return nil, sys.Fail("open pinned map", path, unix.EINVAL, "it is a "+kind.String())
	}
	return NewMap(path, fd)
}

// perCPUSize gives the size of a value with its copies for all CPUs, each of which begins at a multiple of 8 bytes.
func perCPUSize(size, cpus int) int { return (size + 7) / 8 * 8 * cpus }

func perCPU(t sys.MapType) bool {
	switch t {
	case sys.MapTypePercpuHash, sys.MapTypePercpuArray, sys.MapTypeLRUPercpuHash, sys.MapTypePercpuCgroupStorage:
		return true
	}
	return false
}

// Name is the full name from the ELF file, or the path of a map that was opened by it.
func (m *Map) Name() string { return m.name }

// FD is the map's descriptor, which the map keeps.
func (m *Map) FD() *sys.FD { return m.fd }

// ID is the kernel's number for the map, the same in every process as long as the map lives.
func (m *Map) ID() uint32 { return m.info.ID }

// Type is the kind of map.
func (m *Map) Type() sys.MapType { return m.info.Type }

// KeySize is the size of a key in bytes, 0 for maps without keys.
func (m *Map) KeySize() int { return int(m.info.KeySize) }

// ValueSize is the size in bytes of the value that Lookup and Update take: of a per-CPU map, its size rounded up to a multiple of
// 8 for every possible CPU, one after the other.
func (m *Map) ValueSize() int { return m.valueSize }

// MaxEntries is how many entries fit; for ring buffers, how many bytes.
func (m *Map) MaxEntries() uint32 { return m.info.MaxEntries }

// Flags are the flags that the map was made with, as the kernel tells them (BPF_F_*).
func (m *Map) Flags() uint32 { return m.info.MapFlags }

// Info is everything that the kernel told when the map was opened.
func (m *Map) Info() sys.MapInfo { return m.info }

// Lookup reads the value of key into value. Neither allocates; both must have the map's sizes.
//
// The error is a bare errno, so that it costs nothing: ENOENT if there is no such entry. It is EINVAL, without a call, if a size is
// not the map's, and EBADF once the map is closed. man bpf(2) has the rest.
func (m *Map) Lookup(key, value []byte) error {
	if len(key) != m.KeySize() || len(value) != m.valueSize {
		return unix.EINVAL
	}
	attr := sys.MapElemAttr{MapFD: m.fd.Attr(), Key: sys.Slice(key), Value: sys.Slice(value)}
	return sys.MapLookupElem(&attr)
}

// Update writes the value of key: flags is BPF_ANY, BPF_NOEXIST (EEXIST if there is an entry) or BPF_EXIST (ENOENT if there is none). Sizes and
// errors are those of Lookup; E2BIG says that the map is full, EPERM that it is frozen or was opened for reading.
func (m *Map) Update(key, value []byte, flags uint64) error {
	if len(key) != m.KeySize() || len(value) != m.valueSize {
		return unix.EINVAL
	}
	attr := sys.MapElemAttr{MapFD: m.fd.Attr(), Key: sys.Slice(key), Value: sys.Slice(value), Flags: flags}
	return sys.MapUpdateElem(&attr)
}

// Delete removes the entry of key; ENOENT if there is none, EINVAL for arrays, which have all their entries always.
func (m *Map) Delete(key []byte) error {
	if len(key) != m.KeySize() {
		return unix.EINVAL
	}
	attr := sys.MapElemAttr{MapFD: m.fd.Attr(), Key: sys.Slice(key)}
	return sys.MapDeleteElem(&attr)
}

// NextKey writes the key after key to next; a nil key asks for the first. ENOENT says that there is none. An entry that is
// removed meanwhile may make an iteration of a hash start again.
func (m *Map) NextKey(key, next []byte) error {
	if key != nil && len(key) != m.KeySize() || len(next) != m.KeySize() {
		return unix.EINVAL
	}
	attr := sys.MapNextKeyAttr{MapFD: m.fd.Attr(), Key: sys.Slice(key), NextKey: sys.Slice(next)}
	return sys.MapGetNextKey(&attr)
}

// Close closes the descriptor, and takes an arena's memory away. Closing once more does nothing.
func (m *Map) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	unmap(m.memory)
	m.memory = nil
	return m.fd.Close()
}
