// Package good has tests that pass in a guest of testvm, and say what a guest is.
package good

// Double is there to be covered.
func Double(n int) int {
	if n < 0 {
		return -2 * -n // is not covered
	}
	return 2 * n
}
