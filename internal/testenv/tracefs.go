package testenv

import (
	"errors"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// PrivateMounts gives the test mounts of its own: what it mounts from now on, nobody else sees. The test's goroutine keeps its thread, which ends
// with it.
func PrivateMounts(t testing.TB) {
	t.Helper()
	Root(t)
	runtime.LockOSThread()
	if err := errors.Join(unix.Unshare(unix.CLONE_NEWNS), unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")); err != nil {
		t.Fatalf("make mounts private: %v", err)
	}
}

// Tracefs gives the test a tracefs at /sys/kernel/tracing, in [PrivateMounts] if there is none yet.
func Tracefs(t testing.TB) {
	t.Helper()
	PrivateMounts(t)
	const path = "/sys/kernel/tracing"
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if uint32(st.Type) == unix.TRACEFS_MAGIC {
		return
	}
	if err := unix.Mount("tracefs", path, "tracefs", 0, ""); err != nil {
		t.Fatalf("mount tracefs on %s: %v", path, err)
	}
}
