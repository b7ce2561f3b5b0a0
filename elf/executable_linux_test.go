package elf_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/pinion-bpf/pinion/elf"
)

// TestExecutable reads an ordinary program: this one.
func TestExecutable(t *testing.T) {
	data, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if strconv.IntSize == 32 {
		_, err := elf.Parse(data)
		wantError(t, err, elf.ErrClass, "file header", "32-bit file")
		return
	}
	compare(t, data)
}
