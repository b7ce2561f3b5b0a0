package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

// childVariable makes the test binary open a device, in a process of its own inside the cgroup, and exit with one of these.
const (
	childVariable = "PINION_TEST_CHILD"
	allowed       = 0
	failed        = 1
	denied        = 3
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(openDevice())
	}
	os.Exit(testenv.Main(m))
}

func openDevice() int {
	fd, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	switch err {
	case nil:
		unix.Close(fd)
		return allowed
	case unix.EPERM:
		return denied
	}
	return failed
}

// newCgroup makes a cgroup that goes with the test and opens it.
func newCgroup(t *testing.T) (path string, dir *sys.FD) {
	t.Helper()
	path = testenv.Cgroup(t)
	dir, err := link.OpenCgroup(path)
	check(t, err)
	t.Cleanup(func() { check(t, dir.Close()) })
	return path, dir
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantOpen opens a device inside the cgroup.
func wantOpen(t *testing.T, dir *sys.FD, want int) {
	t.Helper()
	child := exec.Command("/proc/self/exe")
	child.Env = append(os.Environ(), childVariable+"=1")
	child.Stdin = new(bytes.Buffer)
	child.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: dir.Int()}
	output, err := child.CombinedOutput()
	if child.ProcessState == nil || child.ProcessState.ExitCode() != want {
		t.Fatalf("open %s in the cgroup: %v, want exit status %d\n%s", os.DevNull, err, want, output)
	}
}

// wantFilters checks how many programs are attached and gives their ids.
func wantFilters(t *testing.T, dir *sys.FD, want int) []link.Attachment {
	t.Helper()
	found, err := link.QueryCgroup(dir, sys.AttachTypeCgroupDevice)
	check(t, err)
	if len(found.Programs) != want {
		t.Fatalf("%d programs are attached, want %d", len(found.Programs), want)
	}
	return found.Programs
}

func TestApply(t *testing.T) {
	path, dir := newCgroup(t)
	wantOpen(t, dir, allowed)
	for _, allow := range []bool{false, true, false, true} {
		check(t, Apply(path, Decide(allow)))
		want := denied
		if allow {
			want = allowed
		}
		wantOpen(t, dir, want)
		wantFilters(t, dir, 1)
	}
}

// TestApplyOverMany has more than one program to take the place of, one of them denying.
func TestApplyOverMany(t *testing.T) {
	path, dir := newCgroup(t)
	for _, allow := range []bool{true, false, true} {
		filter, err := load(Decide(allow))
		check(t, err)
		check(t, sys.ProgAttach(&sys.ProgAttachAttr{
			TargetFD:    dir.Attr(),
			AttachBPFFD: filter.Attr(),
			AttachType:  sys.AttachTypeCgroupDevice,
			AttachFlags: unix.BPF_F_ALLOW_MULTI,
		}))
		check(t, filter.Close())
	}
	wantFilters(t, dir, 3)
	wantOpen(t, dir, denied)
	check(t, Apply(path, Decide(true)))
	wantFilters(t, dir, 1)
	wantOpen(t, dir, allowed)
}

// TestApplyFails leaves what was attached.
func TestApplyFails(t *testing.T) {
	path, dir := newCgroup(t)
	check(t, Apply(path, Decide(false)))
	before := wantFilters(t, dir, 1)
	if err := Apply(path, []byte{0xff, 0, 0, 0, 0, 0, 0, 0}); !errors.Is(err, unix.EINVAL) {
		t.Errorf("an instruction that is none: %v", err)
	}
	if after := wantFilters(t, dir, 1); after[0] != before[0] {
		t.Errorf("program %d was replaced by %d", before[0].ProgramID, after[0].ProgramID)
	}
	wantOpen(t, dir, denied)
	if err := Apply(t.TempDir(), Decide(true)); !errors.Is(err, link.ErrNotCgroup2) {
		t.Errorf("a directory that is no cgroup: %v", err)
	}
}
