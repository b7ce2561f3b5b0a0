package warning

import (
	"os"
	"testing"
)

// TestWarning makes the kernel's log look as if the kernel had found a fault in itself.
func TestWarning(t *testing.T) {
	if err := os.WriteFile("/dev/kmsg", []byte("<1>WARNING: CPU: 0 PID: 7 at kernel/none.c:1 nothing+0x0\n"), 0); err != nil {
		t.Fatal(err)
	}
}
