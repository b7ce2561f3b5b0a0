// Command reader prints a number from a map that another program has pinned. It shows how little a program needs that only reads: one
// call opens the map, one reads a key, and neither the ELF reader nor the loader gets into the binary.
//
//	reader [PIN]
//
// PIN is a map with keys of 4 bytes and values of 8, by default the packets that examples/agent counts.
package main

import (
	"encoding/binary"
	"os"
	"strconv"

	"github.com/pinion-bpf/pinion/object"
)

func main() {
	pin := "/sys/fs/bpf/counter/maps/packets"
	if len(os.Args) > 1 {
		pin = os.Args[1]
	}
	n, err := read(pin)
	if err != nil {
		os.Stderr.WriteString("reader: " + err.Error() + "\n")
		os.Exit(1)
	}
	os.Stdout.WriteString(strconv.FormatUint(n, 10) + "\n")
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
