// Command reader_bare does what examples/reader does, without Pinion: on bare golang.org/x/sys/unix. It is there to be measured
// against: the difference of the two binaries is what Pinion costs a program that reads a pinned map. It checks neither
// what is pinned nor how large its keys and values are, which Pinion does.
//
//	[PIN=FILE] reader_bare
package main

import (
	"encoding/binary"
	"runtime"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// getAttr and elemAttr are the parts of union bpf_attr for BPF_OBJ_GET and BPF_MAP_LOOKUP_ELEM on 64-bit machines.
type getAttr struct {
	pathname  unsafe.Pointer
	bpfFD     uint32
	fileFlags uint32
}

type elemAttr struct {
	mapFD      uint32
	_          uint32
	key, value unsafe.Pointer
	flags      uint64
}

func main() {
	pin, found := unix.Getenv("PIN")
	if !found {
		pin = "/sys/fs/bpf/counter/maps/packets"
	}
	n, err := read(pin)
	if err != nil {
		unix.Write(2, []byte("reader_bare: "+pin+": "+err.Error()+"\n"))
		unix.Exit(1)
	}
	unix.Write(1, []byte(strconv.FormatUint(n, 10)+"\n"))
}

// read gives the value of the key 0.
func read(pin string) (uint64, error) {
	name, err := unix.BytePtrFromString(pin)
	if err != nil {
		return 0, err
	}
	get := getAttr{pathname: unsafe.Pointer(name)}
	fd, err := bpf(unix.BPF_OBJ_GET, unsafe.Pointer(&get), unsafe.Sizeof(get))
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	var key [4]byte
	var value [8]byte
	lookup := elemAttr{mapFD: uint32(fd), key: unsafe.Pointer(&key), value: unsafe.Pointer(&value)}
	if _, err := bpf(unix.BPF_MAP_LOOKUP_ELEM, unsafe.Pointer(&lookup), unsafe.Sizeof(lookup)); err != nil {
		return 0, err
	}
	return binary.NativeEndian.Uint64(value[:]), nil
}

func bpf(cmd uintptr, attr unsafe.Pointer, size uintptr) (int, error) {
	r, _, errno := unix.Syscall(unix.SYS_BPF, cmd, uintptr(attr), size)
	runtime.KeepAlive(attr)
	if errno != 0 {
		return -1, errno
	}
	return int(r), nil
}
