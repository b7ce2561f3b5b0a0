package archtest

import (
	"runtime"
	"testing"

	"github.com/pinion-bpf/pinion/internal/sizes/measure"
)

// ceilings are for the budgets that are not kept yet: what the programs are allowed on top, in bytes. They only ever go down.
var ceilings = map[string]int64{
	measure.AgentBudget: 470 * measure.KB,
}

// TestSizes holds the budgets of the design, or what is reached of them. make size shows how far that is from the budgets.
func TestSizes(t *testing.T) {
	sizes, err := measure.Measure("../..", runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range sizes.Budgets() {
		if most := b.Limit + ceilings[b.Name]; b.Used > most {
			t.Errorf("%s: %d bytes, want at most %d: see make size", b.Name, b.Used, most)
		}
	}
}
