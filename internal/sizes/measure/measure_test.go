package measure_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/internal/sizes/measure"
)

func TestBudgets(t *testing.T) {
	sizes := measure.Sizes{Object: 5_000, Programs: map[string]int64{
		measure.Empty: 1_000_000, measure.ReaderBare: 1_200_000, measure.Reader: 1_240_000, measure.Agent: 1_355_001,
	}}
	want := []measure.Budget{
		{Name: "reader over reader_bare", Used: 40_000, Limit: 40_000},
		{Name: "agent without its object over empty", Used: 350_001, Limit: 350_000},
	}
	got := sizes.Budgets()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("budgets (-want +got):\n%s", diff)
	}
	if !got[0].Kept() || got[1].Kept() {
		t.Errorf("kept: %v and %v, want the first only", got[0].Kept(), got[1].Kept())
	}
}

func TestMeasureFails(t *testing.T) {
	if _, err := measure.Measure(t.TempDir(), "amd64"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder without the module: %v", err)
	}
	if _, err := measure.Measure("../../..", "z80"); err == nil {
		t.Error("an architecture that Go does not have: no error")
	}
}
