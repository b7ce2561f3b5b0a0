package faults

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// kept is the number that maps get whose contents may not be lost.
const kept = 4711

// element opens a map at a path, and gives what it takes to read or write its element 0.
func element(path string) (*sys.FD, *sys.MapElemAttr, []byte, error) {
	fd, err := openPin(path)
	if err != nil {
		return nil, nil, nil, err
	}
	var info sys.MapInfo
	if _, err := sys.GetInfo(fd, &info); err != nil {
		fd.Close()
		return nil, nil, nil, err
	}
	key, value := make([]byte, info.KeySize), make([]byte, max(8, info.ValueSize))
	return fd, &sys.MapElemAttr{MapFD: fd.Attr(), Key: sys.Slice(key), Value: sys.Slice(value)}, value, nil
}

// setNumber writes kept into the first 8 bytes of a map's element 0.
func setNumber(path string) error {
	fd, attr, value, err := element(path)
	if err != nil {
		return err
	}
	defer fd.Close()
	if err := sys.MapLookupElem(attr); err != nil && err != unix.ENOENT {
		return err
	}
	binary.NativeEndian.PutUint64(value, kept)
	if err := sys.MapUpdateElem(attr); err != nil {
		return fmt.Errorf("write to %s: %w", path, err)
	}
	return nil
}

func number(path string) (uint64, error) {
	fd, attr, value, err := element(path)
	if err != nil {
		return 0, err
	}
	defer fd.Close()
	err = sys.MapLookupElem(attr)
	return binary.NativeEndian.Uint64(value), err
}
