package testvm

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/internal/testvm/kernels"
	"github.com/pinion-bpf/pinion/internal/testvm/report"
)

// aKernel gives a kernel to boot. A machine that has none fails the test: nothing else here would show that machines work.
func aKernel(t *testing.T) kernels.Kernel {
	t.Helper()
	found, err := kernels.Find(t.Context(), []string{"6.12"})
	if err != nil {
		t.Fatal(err)
	}
	found[0].Newest = false // the test that is skipped may be
	return found[0]
}

// TestRealMachines boots a kernel with packages of which each goes wrong in its own way, and one of which brings the kernel down.
func TestRealMachines(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	config := Config{
		Kernels: []kernels.Kernel{aKernel(t)}, Backend: &qemu{}, Timeout: 10 * time.Second, MemMiB: 384,
		Modules: []string{"dummy"}, Env: []string{"COLOUR=blue=green"}, Files: []string{"ip", "testdata/good/good.go:/asked/for/NAME.txt"},
		CoverProfile: filepath.Join(t.TempDir(), "cover.out"),
	}
	for _, name := range []string{"good", "bad_exit", "bad_memory", "bad_hang", "bad_go", "bad_panic", "bad_warning", "skips", "fails"} {
		config.Packages = append(config.Packages, "./testdata/"+name)
	}
	matrix, err := Run(t.Context(), config)
	if matrix == nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range summary(matrix.Columns[0]) {
		line, _, _ = strings.Cut(line, " | ")
		line = strings.TrimPrefix(line, "internal/testvm/testdata/")
		if !strings.HasPrefix(line, "good ") && !strings.HasPrefix(line, "bad_warning: console: ") {
			got = append(got, line)
		}
	}
	want := []string{
		"bad_exit TestBefore=pass TestExit=fail", "bad_exit: exit: exit status 3, while TestExit ran",
		"bad_memory TestBefore=pass TestEat=fail",
		"bad_memory: out of memory: the kernel killed 1 of its processes because memory was short: the machine has 384 MiB (-mem)",
		"bad_hang TestBefore=pass TestSleep=fail", "bad_hang: hang: test timed out after 10s, while TestSleep ran",
		"bad_go TestBefore=pass TestNil=fail",
		"bad_go: crash: panic: runtime error: invalid memory address or nil pointer dereference [recovered, repanicked]",
		"bad_panic TestBefore=pass TestPanic=fail", "bad_panic: panic: sysrq triggered crash, while TestPanic ran",
		"bad_warning TestWarning=pass",
		"skips TestSkip=skip TestPass=pass",
		"fails TestFail=fail TestFail/sub=fail TestPass=pass",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("column (-want +got):\n%s", diff)
	}
	wantGood(t, matrix)
	profile, err := os.ReadFile(config.CoverProfile)
	if err != nil || !strings.Contains(string(profile), "testdata/good/good.go:9.2,9.14 1 1") {
		t.Errorf("the coverage profile is %q, %v", profile, err)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
}

// wantGood wants every test of the package good to have passed: they say what a guest is.
func wantGood(t *testing.T, m *report.Matrix) {
	good := m.Columns[0].Results[0]
	for _, test := range good.Tests {
		if test.Status != report.Pass {
			t.Errorf("good %s: %s: %s", test.Name, test.Status, test.Reason)
		}
	}
	if len(good.Tests) < 6 || len(good.Problems) > 0 {
		t.Errorf("good has %d tests, and problems %v", len(good.Tests), good.Problems)
	}
	warned := slices.ContainsFunc(m.Columns[0].Results, func(r report.Result) bool {
		return len(r.Problems) == 1 && r.Problems[0].Kind == report.Console && strings.Contains(r.Problems[0].Text, "WARNING: CPU: 0 PID: 7")
	})
	if !warned {
		t.Error("the kernel's warning was not seen")
	}
}

// TestNoStart has QEMU refuse what is no kernel.
func TestNoStart(t *testing.T) {
	image := filepath.Join(t.TempDir(), "bzImage")
	if err := os.WriteFile(image, []byte("no kernel"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := (&qemu{}).Boot(t.Context(), &Machine{
		Kernel: kernels.Kernel{Image: image}, Initramfs: image, MemMiB: 64, CPUs: 1, Console: &console{}, Frames: &console{},
	})
	if err == nil || !strings.Contains(err.Error(), "qemu-system-x86_64: exit status 1") {
		t.Errorf("Boot gives %v", err)
	}
}

// TestTryAccelerator runs the ROM where it works for sure, and where there is nothing to run it.
func TestTryAccelerator(t *testing.T) {
	program, err := exec.LookPath(qemuProgram)
	if err != nil {
		t.Fatal(err)
	}
	for accel, want := range map[string]bool{"tcg": true, "none": false} {
		if got, err := tryAccelerator(t.Context(), program, accel); got != want || err != nil {
			t.Errorf("%s works: %v, %v", accel, got, err)
		}
	}
}

// TestCancel ends a machine that would run for long.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	begun := time.Now()
	err := runWithPipes(ctx, exec.Command("sh", "-c", "sleep 1000 & sleep 1000"), &console{}, &console{})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 30*time.Second {
		t.Errorf("after %v: %v", time.Since(begun), err)
	}
}
