package memory

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestBefore(*testing.T) {}

// TestEat wants more memory than there is.
func TestEat(t *testing.T) {
	if os.Getenv("PINION_VM") != "1" {
		t.Fatal("this is no machine whose memory may be used up")
	}
	const block = 16 << 20
	for eaten := 0; ; eaten += block {
		_, err := unix.Mmap(-1, 0, block, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_POPULATE)
		if err != nil {
			t.Fatalf("after %d MiB: %v", eaten>>20, err)
		}
	}
}
