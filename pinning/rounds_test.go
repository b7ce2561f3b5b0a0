package pinning_test

import "testing"

// rounds is how often a test tries something random: n times, or a hundredth of it with -short, as in the virtual machines, which are slow and
// whose kernel cannot matter to what does no I/O.
func rounds(n int) int {
	if testing.Short() {
		return max(n/100, 10)
	}
	return n
}
