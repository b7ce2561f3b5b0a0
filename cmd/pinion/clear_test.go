package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/pinning"
)

// mkdir makes directories.
func mkdir(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// leftovers gives the staging directories below a root.
func leftovers(t *testing.T, root string) []string {
	t.Helper()
	left, err := filepath.Glob(root + "/%stage*")
	if err != nil {
		t.Fatal(err)
	}
	for i := range left {
		left[i] = filepath.Base(left[i])
	}
	return left
}

// lockDir locks a directory, as a process that is at work does.
func lockDir(t *testing.T, path string) {
	t.Helper()
	dir, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
}

// TestRecover clears what a process that was killed would leave: a tree that it was building, and one that it was removing.
func TestRecover(t *testing.T) {
	root := testenv.BPFFS(t)
	out, _ := pinion(t, done, "recover", "-root", root)
	wantLine(t, out, "dead processes left nothing below "+root)
	pinion(t, done, "load", "-root", root, "-attach", objects+"raw_tp.bpf.o")
	mkdir(t, root+"/%stage-flow/new/maps", root+"/%stage-raw_tp", root+"/%stage-works")
	if err := os.Rename(root+"/raw_tp", root+"/%stage-raw_tp/old"); err != nil {
		t.Fatal(err)
	}
	lockDir(t, root+"/%stage-works")
	before := leftovers(t, root)
	dry, _ := pinion(t, done, "recover", "-root", root, "-n")
	wantWords(t, dry, "WOULD-DO", "flow ", "would undo a pin", "raw_tp ", "would finish an unpin", "works ", "left alone", "busy")
	if diff := cmp.Diff(before, leftovers(t, root)); diff != "" {
		t.Errorf("a dry run changes (-before +after):\n%s", diff)
	}
	got := decode[[]recoverInfo](t, "recover", "-root", root)
	if len(got) != 3 || got[2].Busy == "" || got[2].Did != "" {
		t.Fatalf("recovered: %+v", got)
	}
	got[2].Busy = ""
	if diff := cmp.Diff([]recoverInfo{{Name: "flow", Did: "undid a pin"}, {Name: "raw_tp", Did: "finished an unpin"}, {Name: "works"}}, got); diff != "" {
		t.Errorf("recovered (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"%stage-works"}, leftovers(t, root)); diff != "" || len(files(t, root)) > 0 {
		t.Errorf("left: %q (-want +got):\n%s", files(t, root), diff)
	}
}

// TestRecoverForeign: what Pinion did not make is named, and stops nothing else.
func TestRecoverForeign(t *testing.T) {
	root := testenv.BPFFS(t)
	mkdir(t, root+"/%stage-flow/new", root+"/%stage-odd/mine")
	out, said := pinion(t, refused, "recover", "-root", root)
	wantWords(t, out, "flow ", "undid a pin")
	wantLine(t, said, root, "odd", "mine", "not Pinion's own")
	if diff := cmp.Diff([]string{"%stage-odd"}, leftovers(t, root)); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

// pinDefunct pins the demo's object attached to a cgroup that is gone.
func pinDefunct(t *testing.T) string {
	t.Helper()
	path := testenv.BPFFS(t)
	root, err := pinning.OpenRoot(path)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	cgroup := testenv.Cgroup(t) + "/gone"
	mkdir(t, cgroup)
	obj, _, err := ensureDemo(root, cgroup)
	if err != nil {
		t.Fatal(err)
	}
	if err := obj.Close(); err != nil {
		t.Fatal(err)
	}
	if err := unix.Rmdir(cgroup); err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); ; time.Sleep(time.Millisecond) { // the kernel detaches later, on a work queue
		detached := 0
		for _, p := range decode[showInfo](t, "show", "-root", path, demoObject).Pins {
			if p.State == pinning.StateDetached.String() {
				detached++
			}
		}
		if detached == 2 {
			return path
		}
		if time.Since(start) > 10*time.Second {
			t.Fatalf("the cgroup is gone, and %d links are detached, want 2", detached)
		}
	}
}

// TestCollect removes an object whose cgroup is gone, and no other.
func TestCollect(t *testing.T) {
	root := pinDefunct(t)
	pinion(t, done, "load", "-root", root, "-attach", objects+"raw_tp.bpf.o", objects+"pinned.bpf.o")
	before := files(t, root)
	out, _ := pinion(t, done, "gc", "-root", root, "-n")
	wantWords(t, out, "WOULD-REMOVE", "counter ", "all of it")
	dry := decode[[]garbageInfo](t, "gc", "-root", root, "-n")
	if len(dry) != 1 || dry[0].Name != "counter" || dry[0].Previous || dry[0].Why == "" {
		t.Fatalf("dry run: %+v", dry)
	}
	if diff := cmp.Diff(before, files(t, root)); diff != "" {
		t.Errorf("a dry run changes (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(dry, decode[[]garbageInfo](t, "gc", "-root", root)); diff != "" {
		t.Errorf("-dry run +done:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"pinned", "raw_tp"}, names(decode[[]entryInfo](t, "ls", "-root", root))); diff != "" {
		t.Errorf("ls (-want +got):\n%s", diff)
	}
	out, _ = pinion(t, done, "gc", "-root", root)
	wantLine(t, out, "no garbage below "+root)
}

// TestCollectForeign: what is garbage but for a file of somebody else's stays.
func TestCollectForeign(t *testing.T) {
	root := pinDefunct(t)
	mkdir(t, root+"/counter/mine")
	_, said := pinion(t, refused, "gc", "-root", root)
	wantLine(t, said, root+"/counter", "mine", "not Pinion's own")
	if err := os.Remove(root + "/counter/mine"); err != nil {
		t.Fatal(err)
	}
	pinion(t, done, "gc", "-root", root)
}

// TestCollectPrevious drops what an upgrade kept, if that is asked for.
func TestCollectPrevious(t *testing.T) {
	root := pinCounter(t).Path()
	pinion(t, done, "upgrade", "-root", root, "-keep-old", "-map", ".bss=migrate", "counter", objects+"counter_v2.bpf.o")
	out, _ := pinion(t, done, "gc", "-root", root)
	wantLine(t, out, "no garbage")
	ids := idsOf(t, root, "counter")
	out, _ = pinion(t, done, "gc", "-root", root, "-previous")
	wantWords(t, out, "REMOVED", "counter ", "previous generation")
	if diff := cmp.Diff(ids, idsOf(t, root, "counter")); diff != "" {
		t.Errorf("ids (-before +after):\n%s", diff)
	}
	_, said := pinion(t, failed, "rollback", "-root", root, "counter")
	wantLine(t, said, "no previous generation")
}
