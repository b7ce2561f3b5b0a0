package panic

import (
	"os"
	"testing"
)

func TestBefore(*testing.T) {}

// TestPanic brings the kernel down.
func TestPanic(t *testing.T) {
	if os.Getenv("PINION_VM") != "1" {
		t.Fatal("this is no machine that may be brought down")
	}
	t.Log("now it comes")
	t.Error(os.WriteFile("/proc/sysrq-trigger", []byte("c"), 0))
}
