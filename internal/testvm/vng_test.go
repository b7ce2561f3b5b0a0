package testvm

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pinion-bpf/pinion/internal/testvm/kernels"
	"github.com/pinion-bpf/pinion/internal/testvm/report"
)

// TestBackendsAgree runs tests that pass, fail, skip and end early on one kernel with both back ends, and wants the same of each.
func TestBackendsAgree(t *testing.T) {
	found, err := kernels.Finder{Log: t.Output()}.Find(t.Context(), []string{"6.12"})
	if err != nil {
		t.Fatal(err)
	}
	columns := make(map[string]report.Column)
	for _, name := range []string{"qemu", "vng"} {
		backend, err := NewBackend(name)
		if err != nil {
			t.Fatal(err)
		}
		matrix, err := Run(t.Context(), Config{
			Kernels: found, Backend: backend, Packages: []string{"./testdata/both", "./testdata/both_exit"},
			Modules: []string{"dummy"}, Env: []string{"COLOUR=blue"}, Console: func(_, line string) { t.Log(line) },
		})
		if err == nil || matrix == nil || len(matrix.Columns) != 1 {
			t.Fatalf("%s: error %v, matrix %+v: want failures on one kernel", name, err, matrix)
		}
		columns[name] = matrix.Columns[0]
		t.Logf("%s: %v", name, matrix.Columns[0].Phases)
	}
	qemu, vng := columns["qemu"], columns["vng"]
	same := cmp.Options{
		cmpopts.IgnoreFields(report.Column{}, "Phases"),
		cmpopts.IgnoreFields(report.Result{}, "Took"),
		cmpopts.IgnoreFields(report.Test{}, "Took"),
		cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Output" || p.Last().String() == ".Words" }, cmp.Transformer("Times", withoutTimes)),
	}
	if diff := cmp.Diff(qemu, vng, same); diff != "" {
		t.Errorf("results (-qemu +vng):\n%s", diff)
	}
	status := make(map[string]report.Status)
	for _, r := range qemu.Results {
		for _, test := range r.Tests {
			status[test.Name] = test.Status
		}
	}
	want := map[string]report.Status{
		"TestMap": report.Pass, "TestSkip": report.Skip, "TestFail": report.Fail, "TestFail/sub": report.Fail,
		"TestMachine": report.Pass, "TestMachine/loopback": report.Pass, "TestMachine/module": report.Pass, "TestMachine/config": report.Pass,
		"TestMachine/testdata": report.Pass, "TestMachine/environment": report.Pass,
		"TestBefore": report.Pass, "TestExit": report.Fail,
	}
	if diff := cmp.Diff(want, status); diff != "" {
		t.Errorf("tests under qemu (-want +got):\n%s", diff)
	}
}

// withoutTimes takes the times out of what go test prints.
func withoutTimes(output string) string {
	return regexp.MustCompile(`\d+\.\d+s`).ReplaceAllString(output, "")
}
