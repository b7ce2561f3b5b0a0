package order

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func Example() {
	type pin struct {
		kind int
		name string
	}
	pins := []pin{{2, "egress"}, {1, "flows"}, {2, "drop"}, {1, "events"}}
	Sort(len(pins), func(a, b int) bool { return pins[a].kind < pins[b].kind }, func(a, b int) { pins[a], pins[b] = pins[b], pins[a] })
	fmt.Println(pins)
	fmt.Println(First(len(pins), func(i int) bool { return pins[i].kind >= 2 }))
	// Output:
	// [{1 flows} {1 events} {2 egress} {2 drop}]
	// 2
}

// TestAgainstSlices compares with package slices: all lengths around powers of two, few values so that many are equal.
func TestAgainstSlices(t *testing.T) {
	type pair struct{ Key, At int }
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 70 {
		got := make([]pair, n)
		for i := range got {
			got[i] = pair{random.IntN(9), i}
		}
		want := slices.Clone(got)
		slices.SortStableFunc(want, func(a, b pair) int { return a.Key - b.Key })
		Sort(n, func(a, b int) bool { return got[a].Key < got[b].Key }, func(a, b int) { got[a], got[b] = got[b], got[a] })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d values (-want +got):\n%s", n, diff)
		}
		for key := range 11 {
			at, _ := slices.BinarySearchFunc(want, key, func(p pair, key int) int { return p.Key - key })
			if first := First(n, func(i int) bool { return want[i].Key >= key }); first != at {
				t.Errorf("%d values: first of %d is %d, want %d", n, key, first, at)
			}
		}
	}
}
