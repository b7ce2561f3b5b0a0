// Package order sorts and searches with one copy of the code, whatever the type.
//
// The functions of package slices are compiled anew for every structure that they sort, into some ten kilobytes each: fast, and too much
// for a static agent that sorts a dozen of them, none large. Use package slices wherever that does not matter.
package order

// Sort puts n things in order by swapping them, in O(n log n). What less does not tell apart keeps its order.
func Sort(n int, less func(a, b int) bool, swap func(a, b int)) {
	if InOrder(n, less) {
		return
	}
	order := Indices(n, less)
	for i := range order {
		// What belongs at i comes there, what was there to the place left free, and so on until the round is closed.
		for at := i; int(order[at]) != at; {
			from := int(order[at])
			order[at] = int32(at)
			if from == i {
				break
			}
			swap(at, from)
			at = from
		}
	}
}

// Indices gives the order of n things by their indices, in O(n log n). What less does not tell apart keeps its order.
func Indices(n int, less func(a, b int) bool) []int32 {
	room := make([]int32, 2*n)
	order, merged := room[:n], room[n:]
	for i := range order {
		order[i] = int32(i)
	}
	for width := 1; width < n; width *= 2 {
		for low := 0; low < n; low += 2 * width {
			middle, high := min(low+width, n), min(low+2*width, n)
			merge(merged[low:high], order[low:middle], order[middle:high], less)
		}
		order, merged = merged, order
	}
	return order
}

// InOrder tells whether n things are in order.
//
//go:noinline
func InOrder(n int, less func(a, b int) bool) bool {
	for i := 1; i < n; i++ {
		if less(i, i-1) {
			return false
		}
	}
	return true
}

// merge merges two runs that are in order.
func merge(to, a, b []int32, less func(a, b int) bool) {
	for i := range to {
		if len(b) == 0 || len(a) > 0 && !less(int(b[0]), int(a[0])) {
			to[i], a = a[0], a[1:]
		} else {
			to[i], b = b[0], b[1:]
		}
	}
}

// First gives the first of n indices for which is holds, n if there is none. From the first on it must hold for all.
func First(n int, is func(int) bool) int {
	low, high := 0, n
	for low < high {
		if middle := (low + high) / 2; is(middle) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}
