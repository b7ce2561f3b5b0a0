package archtest

import (
	"testing"

	"github.com/pinion-bpf/pinion/internal/sizes/measure"
)

// ceilings are for budgets that are not kept yet: what a program may have on top, in bytes. This one is just above what is reached. It went up by 144 KB when
// Ensure began to upgrade and to mend what is pinned: who calls Ensure has all of that; by 3 KB when loading began to ask whether an object needs CO-RE; and
// by 8 KB when it began to say BTF in older words to kernels that need it; and by 8 KB more, 2 of code and the rest of rounding to pages, when objects could have externs of .ksyms, by 4 for those of .kconfig, and by
// 4, of which 400 bytes are not rounding, when programs could be for other programs, and by 8, 3 of them code, for arenas; by 12 when errors began to say what the verifier's words and
// the kernel's errnos are about, and what to do; by 4, of which 300 bytes are not rounding, for tokens; by 8, 3 of them code, for jump tables and for going on without BTF that the kernel refuses. 102 KB of it are package time's, which examples/agent gets three times over: from
// embed, from x/sys/unix, and from pinning.Options.
var ceilings = map[string]int64{
	measure.AgentBudget: 551 * measure.KB,
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
