package testenv

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Cgroup makes a version 2 cgroup that goes with the test, in a mount of the test's own, and gives its directory.
func Cgroup(t testing.TB) string {
	t.Helper()
	Root(t)
	mount := tempDir(t)
	if err := unix.Mount("cgroup2", mount, "cgroup2", 0, ""); err != nil {
		t.Fatalf("mount cgroup2 on %s: %v", mount, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(mount, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", mount, err)
		}
	})
	path, err := os.MkdirTemp(mount, "pinion-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Rmdir(path); err != nil {
			t.Errorf("remove cgroup %s: %v", path, err)
		}
	})
	return path
}
