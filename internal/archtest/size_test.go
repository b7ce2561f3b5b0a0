package archtest

import (
	"testing"

	"github.com/pinion-bpf/pinion/internal/sizes/measure"
)

// ceilings are for budgets that are not kept: what a program may have on top, in bytes, just above what is reached. A commit that raises one says why. The agent's 912 KB are, among others, 144 of Ensure's upgrading
// and mending, and 102 of package time, which examples/agent gets three times over: from embed, from x/sys/unix, and from pinning.Options.
var ceilings = map[string]int64{
	measure.AgentBudget: 563 * measure.KB,
}

// TestSizes holds the budgets of the design, or what is reached of them. make size shows how far that is from the budgets.
func TestSizes(t *testing.T) {
	sizes, err := measure.Measure("../..", "amd64") // what the ceilings are for, whatever this machine is
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range sizes.Budgets() {
		if most := b.Limit + ceilings[b.Name]; b.Used > most {
			t.Errorf("%s: %d bytes, want at most %d: see make size", b.Name, b.Used, most)
		}
	}
}
