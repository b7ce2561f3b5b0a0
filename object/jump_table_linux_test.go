package object_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
)

// TestJumpTable has a program jump by a table.
func TestJumpTable(t *testing.T) {
	if !testenv.Has(t, "6.19") {
		_, err := open(t, "jump_table").Load(nil)
		wantError(t, err, unix.EINVAL, `"choose"`, `".jumptables"`, "needs Linux 6.19, this is", "jump tables")
		return
	}
	o := load(t, "jump_table")
	// The Ethernet header, of 14 bytes, is not the socket filter's to see.
	for packet, want := range map[int]uint32{14 + 64: 10, 14 + 65: 20, 14 + 66: 30, 14 + 67: 0} {
		if got := result(t, o, "choose", packet); got != want {
			t.Errorf("a packet of %d bytes: %d, want %d", packet, got, want)
		}
	}
}

// TestJumpTableMalformed: tables that lead out of their function, or that the section does not hold.
func TestJumpTableMalformed(t *testing.T) {
	good := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, 0x48), 0x58)
	for name, c := range map[string]struct {
		target uint64
		want   string
	}{
		"beyond the function":   {0x88, "leads to byte 136 of its section"},
		"before it":             {1<<64 - 8, "leads to byte 18446744073709551608"},
		"inside an instruction": {0x4c, "leads to byte 76"},
	} {
		bad := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, c.target), 0x58)
		s, err := object.Parse("jump_table", bytes.Replace(mustRead(t, "jump_table"), good, bad, 1))
		check(t, err)
		_, err = object.NewAssembler(s).Assemble("choose", nil)
		if wantError(t, err, object.ErrFormat, `"choose"`, c.want); t.Failed() {
			t.Log(name)
		}
	}
	size := append([]byte{0, 0, 0, 0, 0, 0, 0, 0}, binary.LittleEndian.AppendUint64(nil, 24)...) // of the symbol, at byte 0
	for _, more := range []uint64{0, 4, 32, 1 << 62} {
		data := mustRead(t, "jump_table")
		if bytes.Count(data, size) != 1 {
			t.Fatal("the symbol was not found")
		}
		s, err := object.Parse("jump_table", bytes.Replace(data, size, append(size[:8:8], binary.LittleEndian.AppendUint64(nil, more)...), 1))
		check(t, err)
		_, err = object.NewAssembler(s).Assemble("choose", nil)
		wantError(t, err, object.ErrFormat, "of section .jumptables are no table")
	}
}
