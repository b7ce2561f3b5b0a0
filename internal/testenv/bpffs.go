package testenv

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// BPFFS mounts a bpffs of the test's own and gives its directory. It goes with the test, and everything pinned in it too. The directory is
// named after no test, so that no path gets longer with it.
func BPFFS(t testing.TB) string {
	t.Helper()
	return BPFFSAt(t, filepath.Join(tempDir(t), "bpffs"))
}

// BPFFSAt is BPFFS in a directory of the caller's choice, which is made.
func BPFFSAt(t testing.TB, dir string) string {
	t.Helper()
	Root(t)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("bpffs", dir, "bpf", 0, ""); err != nil {
		t.Fatalf("mount bpffs on %s: %v", dir, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

func tempDir(t testing.TB) string {
	dir, err := os.MkdirTemp("", "pinion")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}
