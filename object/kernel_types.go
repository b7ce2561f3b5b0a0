package object

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/order"
	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// Where the kernel has its types, and those of its modules beside. Linux 5.4, modules 5.11; CONFIG_DEBUG_INFO_BTF.
const (
	kernelTypesDir  = "/sys/kernel/btf/"
	kernelTypesName = "vmlinux"
	kernelTypesPath = kernelTypesDir + kernelTypesName
)

// maxKernelTypes is the size in bytes of the largest BTF that is read as the kernel's; those of distributions have some megabytes.
const maxKernelTypes = 256 << 20

// KernelTypes are the types that an object's accesses are fitted to (CO-RE): [RunningKernel] or [ParseKernelTypes] makes them. One may serve any number of
// loads, at once too, but must be closed after the last. What fits accesses is linked into a program only if it calls one of the two.
type KernelTypes struct {
	types   *btf.Data
	memory  []byte              // to be given back by Close; nil if the bytes are the caller's
	running bool                // of the kernel that runs, so its modules may be asked, and ids are those that it attaches to
	fit     func(*loader) error // finds what a load needs of them
}

// RunningKernel returns the types of the kernel that runs, from /sys/kernel/btf/vmlinux. Where the kernel lets them be mapped (Linux 6.16) they are read
// in place; else a copy of some megabytes is held until Close. Types of modules are read when an object asks for what the kernel itself has not.
//
// Of a kernel without BTF of its own (no CONFIG_DEBUG_INFO_BTF, or /sys is not mounted) they are taken from a vmlinux on disk that has it, in the places where libbpf looks:
// /boot/vmlinux-<release>, /lib/modules/<release>, and where packages with debug information put it. Accesses are fitted to those as well, but what programs are for, and functions
// that they call, are the running kernel's own to tell.
//
// The error is ENOENT if there is no such file; [ParseKernelTypes] takes types from elsewhere. No privilege is needed.
func RunningKernel() (*KernelTypes, error) {
	k, err := openRunningTypes()
	if err != nil {
		return nil, err
	}
	k.fit = fitTypes
	return k, nil
}

// ParseKernelTypes returns types from memory: BTF, or an ELF file with a section ".BTF" such as a vmlinux with debug information. They may be those of a kernel without
// BTF of its own, or the few that an object asks for (bpftool gen min_core_btf). The bytes are kept, and must not change. Modules are not asked. The
// functions and hooks of the kernel that programs are for (fentry, LSM, iterators) are still looked for in the kernel's own types.
//
// The error is a [*sys.Error] that wraps [ErrFormat] or an error of the ELF or BTF reader.
func ParseKernelTypes(vmlinux []byte) (*KernelTypes, error) {
	raw, err := kernelBTFIn(vmlinux)
	if err != nil {
		return nil, sys.Fail("parse", "the kernel's types", err, "give BTF, or an ELF file with a section .BTF")
	}
	types, err := btf.Parse(raw)
	if err != nil {
		return nil, sys.Fail("parse", "the kernel's types", &problem{ErrFormat, err.Error()}, "")
	}
	return &KernelTypes{types: types, fit: fitTypes}, nil
}

// kernelBTFIn finds the BTF in a file.
func kernelBTFIn(data []byte) ([]byte, error) {
	if len(data) < 4 || view(data[:4]) != "\x7fELF" {
		return data, nil
	}
	file, err := elf.Parse(data)
	if err != nil {
		return nil, err
	}
	if sec := file.Section(".BTF"); sec != nil && sec.Data != nil {
		return sec.Data, nil
	}
	return nil, malformed("the file has no section .BTF")
}

// Close gives back the memory. It must not be called while a load uses the types. Closing once more does nothing.
func (k *KernelTypes) Close() error {
	memory := k.memory
	k.types, k.memory = nil, nil // names are in that memory
	if memory == nil {
		return nil
	}
	return unix.MunmapPtr(unsafe.Pointer(unsafe.SliceData(memory)), uintptr(len(memory)))
}

// openKernelTypes opens the types of the kernel that runs, without what fits accesses to them.
func openKernelTypes() (*KernelTypes, error) {
	memory, length, err := mapTypes(kernelTypesPath, maxKernelTypes)
	if err != nil {
		return nil, err
	}
	k := &KernelTypes{memory: memory, running: true}
	if k.types, err = btf.Parse(memory[:length]); err != nil {
		k.Close()
		return nil, err
	}
	return k, nil
}

// mapTypes has a file of types, of at most that many bytes, in memory that is not the garbage collector's, and so goes back at once: the kernel's own, or a copy.
func mapTypes(path string, most int64) (memory []byte, length int, err error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, 0, err
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return nil, 0, err
	}
	if stat.Size <= 0 || stat.Size > most {
		return nil, 0, unix.EFBIG
	}
	size := uintptr(stat.Size)
	// Not unix.Mmap, which keeps a list of what it has mapped.
	if p, err := unix.MmapPtr(fd, 0, nil, size, unix.PROT_READ, unix.MAP_PRIVATE); err == nil {
		return unsafe.Slice((*byte)(p), size), int(size), nil
	}
	p, err := unix.MmapPtr(-1, 0, nil, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, 0, err
	}
	memory = unsafe.Slice((*byte)(p), size)
	if length, err = readAll(fd, memory); err != nil {
		unix.MunmapPtr(p, size)
		return nil, 0, err
	}
	return memory, length, nil
}

// modules gives the types of every module to found, in the order of their names, and returns what frees them. A module that has just been unloaded is left out,
// and so is one whose BTF cannot be read: what it has is then not found.
func (k *KernelTypes) modules(found func(name string, types *btf.Data) error) (free func(), err error) {
	var all []KernelTypes
	free = func() {
		for i := range all {
			all[i].Close()
		}
	}
	names, err := namesIn(kernelTypesDir)
	if err != nil {
		return free, sys.Fail("list the types of modules in", kernelTypesDir, err, "")
	}
	order.Sort(len(names), func(a, b int) bool { return names[a] < names[b] }, func(a, b int) { names[a], names[b] = names[b], names[a] })
	for _, name := range names {
		if name == kernelTypesName {
			continue
		}
		memory, length, err := mapTypes(kernelTypesDir+name, maxKernelTypes)
		if err != nil {
			continue
		}
		all = append(all, KernelTypes{memory: memory})
		types, err := btf.ParseSplit(memory[:length], k.types)
		if err != nil {
			continue
		}
		if err := found(name, types); err != nil {
			return free, sys.Fail("look through the types of module", text.Quote(name), err, "")
		}
	}
	return free, nil
}

// namesIn gives the names in a directory.
func namesIn(path string) ([]string, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	dir, err := sys.NewFD(fd)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return sys.ReadNames(dir)
}
