package testenv

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Root fails the test unless it runs as root: the suite is run as root everywhere, and a test that skips proves nothing.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test makes bpf(2) calls and mounts: run it as root (make test does)")
	}
}

// Kernel says that the test needs the given version of Linux ("6.6") for what ("TCX links"), and skips it on an older one. Beside [Allowed], [Host] and [Machine]
// it is the only place in the suite that skips. With PINION_NEWEST_KERNEL set, as on the newest kernel that the suite runs on, a skip is a
// failure: the test would run nowhere.
func Kernel(t testing.TB, version, what string) {
	t.Helper()
	Root(t)
	release, err := Release()
	if err != nil {
		t.Fatal(err)
	}
	if !Has(t, version) {
		skip(t, what+" needs Linux "+version, release)
	}
	// The claim may be what is wrong: a feature that came later, or that this kernel was built without.
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the test claims that %s needs Linux %s; this is %s", what, version, release)
		}
	})
}

// Has tells whether the kernel is of the given version or later: for a test that expects something else of an older one.
func Has(t testing.TB, version string) bool {
	t.Helper()
	release, err := Release()
	if err != nil {
		t.Fatal(err)
	}
	enough, err := atLeast(release, version)
	if err != nil {
		t.Fatal(err)
	}
	return enough
}

// Allowed says that the test needs what the kernel answered with err, where err is not nil. EPERM to root means that this kernel was built to
// keep it from everyone, as hardened ones do: the test is skipped, under the rule of [Kernel]. Any other error fails it.
func Allowed(t testing.TB, err error, what string) {
	t.Helper()
	Root(t)
	if err == nil {
		return
	}
	release, releaseErr := Release()
	if releaseErr != nil || !errors.Is(err, unix.EPERM) {
		t.Fatal(err)
	}
	skip(t, what+" is refused to root", release)
}

// Host says that the test needs what only the machine has that the suite is started on (a compiler, bpftool, the repository), and skips it in the
// virtual machines of the test matrix, where PINION_VM is set. Such skips are counted apart: the matrix does not take them for tests that ran nowhere.
func Host(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("PINION_VM") != "" {
		t.Skipf("only on the host: it needs %s", what)
	}
}

// Machine says that the test needs what it has for some processors only, and skips it on others: the matrix is of amd64, where a skip is a failure
// on the newest kernel.
func Machine(t testing.TB, is bool, what string) {
	t.Helper()
	if is {
		return
	}
	release, err := Release()
	if err != nil {
		t.Fatal(err)
	}
	skip(t, "not on "+runtime.GOARCH+": "+what, release)
}

func skip(t testing.TB, why, release string) {
	t.Helper()
	if os.Getenv("PINION_NEWEST_KERNEL") != "" {
		t.Fatalf("%s; this is %s, the newest kernel of the suite", why, release)
	}
	t.Skipf("%s; this is %s", why, release)
}

// Release gives the release of the running kernel, as uname -r does.
func Release() (string, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "", fmt.Errorf("uname: %w", err)
	}
	return unix.ByteSliceToString(name.Release[:]), nil
}

// atLeast compares the first two numbers of a kernel release with a version "6.6".
func atLeast(release, version string) (bool, error) {
	have, err := parseVersion(release)
	if err != nil {
		return false, err
	}
	want, err := parseVersion(version)
	if err != nil {
		return false, err
	}
	return have[0] > want[0] || have[0] == want[0] && have[1] >= want[1], nil
}

func parseVersion(s string) ([2]int, error) {
	major, rest, _ := strings.Cut(s, ".")
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		rest = rest[:end]
	}
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(rest)
	if errA != nil || errB != nil {
		return [2]int{}, fmt.Errorf("kernel version %q: want major.minor", s)
	}
	return [2]int{a, b}, nil
}
