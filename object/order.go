package object

// compare orders two numbers, as the functions of package slices want it.
func compare[N int | int32 | int64 | uint32 | uint64](a, b N) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// then returns the second comparison where the first finds no difference.
func then(first, second int) int {
	if first != 0 {
		return first
	}
	return second
}
