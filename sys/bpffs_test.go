package sys_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/sys"
)

func openDir(t *testing.T, path string) *sys.FD {
	t.Helper()
	dir, err := sys.OpenDirAt(nil, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	return dir
}

func TestPinAndGetBelowADirectory(t *testing.T) {
	root := testenv.BPFFS(t)
	dir := openDir(t, root)
	if is, err := sys.IsBPFFS(dir); err != nil || !is {
		t.Errorf("IsBPFFS(%s) = %v, %v", root, is, err)
	}
	m := newArray(t, "pinned")
	ways := map[string]func(string) error{
		"path_fd":  func(name string) error { return sys.PinAt(dir, name, m) },
		"proc":     func(name string) error { return sys.PinAtProc(dir, name, m) },
		"own_path": func(name string) error { return sys.PinAtThread(dir, name, m) },
	}
	for name, pin := range ways {
		if err := pin(name); err != nil {
			t.Errorf("pin by %s: %v", name, err)
		}
		if err := pin(name); err != unix.EEXIST {
			t.Errorf("pin by %s twice: %v, want EEXIST", name, err)
		}
		fd, err := sys.GetAt(dir, name, 0)
		if err != nil {
			t.Fatal(err)
		}
		fd.Close()
	}
	if wd, err := os.Getwd(); err != nil || wd == root {
		t.Errorf("the working directory is %s, %v", wd, err)
	}
	names, err := sys.ReadNames(dir)
	slices.Sort(names)
	names = slices.DeleteFunc(names, func(n string) bool { return filepath.Ext(n) == ".debug" }) // the kernel's own
	if want := []string{"own_path", "path_fd", "proc"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("%v, %v, want %v", names, err, want)
	}
}

func TestGetFollowsNoSymbolicLink(t *testing.T) {
	root := testenv.BPFFS(t)
	dir := openDir(t, root)
	if err := sys.PinAt(dir, "map", newArray(t, "target")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("map", filepath.Join(root, "alias")); err != nil {
		t.Fatal(err)
	}
	if target, err := sys.ReadLinkAt(dir, "alias"); err != nil || target != "map" {
		t.Errorf("%q, %v", target, err)
	}
	if _, err := sys.GetAt(dir, "alias", 0); err != unix.ELOOP {
		t.Errorf("open a symbolic link: %v, want ELOOP", err)
	}
	if err := os.Mkdir(filepath.Join(root, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := sys.GetAt(dir, "sub", 0); err != unix.EISDIR {
		t.Errorf("open a directory: %v, want EISDIR", err)
	}
	if _, err := sys.GetAt(dir, "none", 0); err != unix.ENOENT {
		t.Errorf("open nothing: %v, want ENOENT", err)
	}
	if err := os.Symlink("sub", filepath.Join(root, "other")); err != nil {
		t.Fatal(err)
	}
	if _, err := sys.OpenDirAt(dir, "other"); err != unix.ENOTDIR && err != unix.ELOOP {
		t.Errorf("open a symbolic link as a directory: %v, want ENOTDIR or ELOOP", err)
	}
}

func TestUnpinnableIsRefusedByEveryWay(t *testing.T) {
	dir := openDir(t, testenv.BPFFS(t))
	file, err := sys.NewFD(openNull(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := sys.PinAt(dir, "file", file); err != unix.EINVAL {
		t.Errorf("pin a plain file: %v, want EINVAL", err)
	}
	if err := sys.PinAt(dir, "map", newArray(t, "after")); err != nil {
		t.Errorf("pin a map after it: %v", err)
	}
	if is, err := sys.IsBPFFS(file); is || err != nil {
		t.Errorf("IsBPFFS of /dev/null: %v, %v", is, err)
	}
}

func TestRenameAndLock(t *testing.T) {
	testenv.Kernel(t, "5.16", "RENAME_EXCHANGE on bpffs")
	root := testenv.BPFFS(t)
	dir := openDir(t, root)
	for _, name := range []string{"a", "b"} {
		if err := os.Mkdir(filepath.Join(root, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := sys.RenameNoReplace(dir, "a", dir, "b"); err != unix.EEXIST {
		t.Errorf("rename onto another: %v, want EEXIST", err)
	}
	if err := sys.Exchange(dir, "a", dir, "b"); err != nil {
		t.Error(err)
	}
	first, second := openDir(t, filepath.Join(root, "a")), openDir(t, filepath.Join(root, "a"))
	if err := sys.Lock(first, 0); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := sys.Lock(second, 20*time.Millisecond); err != unix.EAGAIN {
		t.Errorf("a lock that is held: %v, want EAGAIN", err)
	}
	if waited := time.Since(start); waited < 20*time.Millisecond {
		t.Errorf("gave up after %v, want 20ms", waited)
	}
	first.Close()
	if err := sys.Lock(second, time.Minute); err != nil {
		t.Errorf("a free lock: %v", err)
	}
}
