package archtest

import (
	"runtime"
	"testing"

	"github.com/pinion-bpf/pinion/internal/sizes/measure"
)

func TestSizes(t *testing.T) {
	sizes, err := measure.Measure("../..", runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range sizes.Budgets() {
		if !b.Kept() {
			t.Errorf("%s: %d bytes, want at most %d: see make size", b.Name, b.Used, b.Limit)
		}
	}
}
