package pinning_test

import (
	"os"
	"testing"
)

// rounds is how often a test tries something random: n times, or a hundredth of it with -short and in the virtual machines, which are slow and whose
// kernel cannot matter to what does no I/O.
func rounds(n int) int {
	if testing.Short() || os.Getenv("PINION_VM") != "" {
		return max(n/100, 100)
	}
	return n
}

// repeats is how often a test repeats what a kernel may do in another order each time: n times, or a quarter of it with -short and in the virtual machines, unless they
// have PINION_FULL=1 (tools/vmtest.sh -env).
func repeats(n int) int {
	if testing.Short() || os.Getenv("PINION_VM") != "" && os.Getenv("PINION_FULL") == "" {
		return n / 4
	}
	return n
}
