package object

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// maxFile is the size in bytes of the largest file that is read. The largest objects known, with debug information, have a few megabytes.
const maxFile = 64 << 20

// Open reads an object from a file. Its name is [DefaultName] of the path. For errors see [Parse]; besides, the file may be
// unreadable (the errno is in the error), no regular file, or larger than 64 MiB.
func Open(path string) (*Spec, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, sys.Fail("open", text.Quote(path), err, "")
	}
	s, err := parse(data)
	if err != nil {
		return nil, parseError(path, err)
	}
	s.Name = DefaultName(path)
	return s, nil
}

// Parse reads an object from memory, such as an embedded file. The name is taken as it is, "" if the object has none. The
// bytes are kept: they must not change while the Spec, or anything from it, is in use.
//
// The error is a [*sys.Error] that wraps [ErrFormat], [ErrUnsupported] or an error of the ELF or BTF reader. Refused are, among
// others: what is no relocatable file for BPF; relocations with addends (SHT_RELA); functions, maps or variables that lie
// outside their sections; two maps, programs or variables of one name; static programs and maps; a map definition that cannot
// be understood; more than 64 MiB of global data.
func Parse(name string, data []byte) (*Spec, error) {
	s, err := parse(data)
	if err != nil {
		return nil, parseError(name, err)
	}
	s.Name = name
	return s, nil
}

// readFile returns a file's bytes.
func readFile(path string) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return nil, err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, errors.New("it is no regular file")
	}
	if stat.Size > maxFile {
		return nil, errors.New(text.Form("it has {} bytes; at most {} are read").Int64(stat.Size).Int(maxFile).String())
	}
	data := make([]byte, stat.Size)
	n, err := readAll(fd, data)
	return slices.Clip(data[:n]), err
}

// readAll fills data, and returns less only at the end of the file.
func readAll(fd int, data []byte) (n int, err error) {
	for n < len(data) {
		m, err := unix.Read(fd, data[n:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || m == 0 {
			return n, err
		}
		n += m
	}
	return n, nil
}
