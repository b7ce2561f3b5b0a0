// Command reader prints a number from a map that another program has pinned. It shows how little a program needs that only reads: one
// call opens the map, one reads a key, and neither the ELF reader nor the loader gets into the binary.
//
//	[PIN=FILE] reader
//
// PIN is a map with keys of 4 bytes and values of 8, by default the packets that examples/agent counts. It takes its configuration from the
// environment and prints by golang.org/x/sys/unix, because package os would make the binary 65 KB larger.
package main

import (
	"encoding/binary"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/object"
)

func main() {
	pin, found := unix.Getenv("PIN")
	if !found {
		pin = "/sys/fs/bpf/counter/maps/packets"
	}
	n, err := read(pin)
	if err != nil {
		unix.Write(2, []byte("reader: "+err.Error()+"\n"))
		unix.Exit(1)
	}
	unix.Write(1, []byte(strconv.FormatUint(n, 10)+"\n"))
}

// read gives the value of the key 0.
func read(pin string) (uint64, error) {
	m, err := object.OpenMap(pin)
	if err != nil {
		return 0, err
	}
	defer m.Close()
	var key [4]byte
	var value [8]byte
	if err := m.Lookup(key[:], value[:]); err != nil {
		return 0, err
	}
	return binary.NativeEndian.Uint64(value[:]), nil
}
