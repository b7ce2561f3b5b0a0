package link_test

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/link"
)

func TestIfindex(t *testing.T) {
	if lo := enterNetns(t); lo != 1 {
		t.Errorf("lo has index %d", lo)
	}
	for _, name := range []string{"", "none0", "lo\x00", "lo:1", "lo ", strings.Repeat("x", 16), strings.Repeat("x", 1000)} {
		index, err := link.Ifindex(name)
		wantError(t, err, unix.ENODEV)
		if index != 0 {
			t.Errorf("%q has index %d", name, index)
		}
	}
}
