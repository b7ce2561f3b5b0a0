package sys

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// Kind is what a BPF file descriptor or a pin is.
type Kind uint8

// The kinds that can be pinned.
const (
	KindUnknown Kind = iota
	KindMap
	KindProgram
	KindLink
)

// String gives "map", "program", "link" or "unknown".
func (k Kind) String() string {
	return nameAt("unknown,map,program,link", uint32(k))
}

// The lengths of the information structures tell the kinds apart without /proc: 80 to 104 bytes for maps, 208 to 232 for programs, 32 to 64 for
// links on Linux 5.10 to 7.0.
const (
	maxLinkInfoLen = 64
	minMapInfoLen  = 80
	maxMapInfoLen  = 128
	minProgInfoLen = 208
	maxProgInfoLen = 256
)

// KindOf tells what fd is and its id. The name of the file behind the descriptor is asked where the length of its information says
// nothing. The descriptor of a BTF object, which cannot be pinned, is taken for a link with an id of 0.
func KindOf(fd *FD) (Kind, uint32, error) {
	var info [maxProgInfoLen / 4]uint32 // type and id come first in all three
	n, err := GetInfo(fd, &info)
	if err != nil {
		return KindUnknown, 0, err
	}
	kind := kindByInfoLen(n)
	if kind == KindUnknown {
		kind = kindByName(fd)
	}
	return kind, info[1], nil
}

func kindByInfoLen(n int) Kind {
	switch {
	case n > 0 && n <= maxLinkInfoLen:
		return KindLink
	case n >= minMapInfoLen && n <= maxMapInfoLen:
		return KindMap
	case n >= minProgInfoLen && n <= maxProgInfoLen:
		return KindProgram
	}
	return KindUnknown
}

func kindByName(fd *FD) Kind {
	buf := make([]byte, 64)
	n, err := unix.Readlink("/proc/self/fd/"+strconv.Itoa(fd.Int()), buf)
	if err != nil {
		return KindUnknown
	}
	switch string(buf[:n]) {
	case "anon_inode:bpf-map":
		return KindMap
	case "anon_inode:bpf-prog":
		return KindProgram
	case "anon_inode:bpf_link", "anon_inode:bpf-link":
		return KindLink
	}
	return KindUnknown
}
