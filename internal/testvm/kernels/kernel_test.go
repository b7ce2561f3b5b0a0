package kernels

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/tools"
)

// TestFind finds every line of the matrix, in the cache or in Debian's archive, and then again without apt and so without the network.
func TestFind(t *testing.T) {
	t.Setenv("VMTEST_KERNEL", "")
	kernels, err := Finder{Log: t.Output()}.Find(t.Context(), []string{"all"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := parseMatrix(tools.Kernels)
	if err != nil {
		t.Fatal(err)
	}
	if len(kernels) != len(m.lines) {
		t.Errorf("there are %d kernels for %d lines", len(kernels), len(m.lines))
	}
	for i, k := range kernels {
		if k.Missing != nil {
			if m.lines[i].required {
				t.Errorf("line %s is required, and is missing: %v", k.Line, k.Missing)
			}
			t.Log(k.Missing)
			continue
		}
		check(t, k, m.lines[i].name)
	}
	t.Setenv("PATH", "")
	again, err := Find(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(kernels, again, cmp.Comparer(func(a, b error) bool { return (a == nil) == (b == nil) })); diff != "" {
		t.Errorf("kernels, found a second time (-first +second):\n%s", diff)
	}
}

// check holds a kernel against its line and its files.
func check(t *testing.T, k Kernel, name string) {
	t.Logf("%s: %s", name, k.Release)
	if k.Newest != (name == newest) || k.Line != lineOf(k.Release) || name != newest && k.Line != name {
		t.Errorf("line %s is the kernel %+v", name, k)
	}
	if release, err := releaseOf(k.Image); err != nil || release != k.Release {
		t.Errorf("the image of %s says that it is %q (%v)", k.Release, release, err)
	}
	config, err := os.ReadFile(k.Config)
	if err != nil || !strings.Contains(string(config), "\nCONFIG_DEBUG_INFO_BTF=y\n") {
		t.Errorf("the configuration of %s has no BTF, or cannot be read: %v", k.Release, err)
	}
	for _, file := range []string{"kernel", "modules.dep", "modules.dep.bin"} {
		if _, err := os.Stat(filepath.Join(k.Modules, file)); err != nil {
			t.Errorf("the modules of %s are not whole: %v", k.Release, err)
		}
	}
}

// TestWithoutApt wants to be told what to do, of all lines at once, and a line that is only wanted to be named too.
func TestWithoutApt(t *testing.T) {
	t.Setenv("VMTEST_KERNEL", "")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("PATH", "")
	kernels, err := Find(t.Context(), nil)
	var failed *LineError
	if !errors.As(err, &failed) || !errors.Is(err, errNoApt) {
		t.Fatalf("error %v, want one of lines for want of apt", err)
	}
	want := "kernel line 5.10, 6.1, 6.12, newest (required): " + errNoApt.Error() +
		" (apt-get is missing); or set VMTEST_KERNEL=/path/to/bzImage to run one of your own"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	if len(kernels) != 1 || kernels[0].Line != "6.18" || !errors.Is(kernels[0].Missing, errNoApt) {
		t.Errorf("kernels %+v, want 6.18 for want of apt", kernels)
	}
}

func TestOwn(t *testing.T) {
	t.Setenv("VMTEST_KERNEL", "")
	kernels, err := Find(t.Context(), []string{"6.12"})
	if err != nil {
		t.Fatal(err)
	}
	want := kernels[0]
	t.Setenv("VMTEST_KERNEL", want.Image)
	want.Line = "own"
	kernels, err = Find(t.Context(), []string{"all"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Kernel{want}, kernels); diff != "" {
		t.Errorf("kernels (-want +got):\n%s", diff)
	}
	for _, wrong := range []string{"/nonexistent", "kernel_test.go"} {
		t.Setenv("VMTEST_KERNEL", wrong)
		if kernels, err := Find(t.Context(), nil); err == nil || !strings.HasPrefix(err.Error(), "VMTEST_KERNEL: ") {
			t.Errorf("VMTEST_KERNEL=%s: kernels %v, error %v", wrong, kernels, err)
		}
	}
}
