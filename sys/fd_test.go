package sys_test

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

func openNull(t *testing.T) int {
	t.Helper()
	raw, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestFDCloseIsIdempotent(t *testing.T) {
	raw := openNull(t)
	fd, err := sys.NewFD(raw)
	if err != nil {
		t.Fatal(err)
	}
	if fd.Int() != raw {
		t.Fatalf("Int() = %d, want %d", fd.Int(), raw)
	}
	for range 2 {
		if err := fd.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if fd.Int() != -1 || fd.Attr() != 0xffffffff {
		t.Errorf("closed: Int() = %d, Attr() = %#x", fd.Int(), fd.Attr())
	}
	if _, err := fd.Dup(); !errors.Is(err, sys.ErrClosed) {
		t.Errorf("Dup of a closed FD: %v, want %v", err, sys.ErrClosed)
	}
	if _, err := unix.FcntlInt(uintptr(raw), unix.F_GETFD, 0); err != unix.EBADF {
		t.Errorf("descriptor %d is still open: %v", raw, err)
	}
}

func TestFDZeroValueAndNilAreClosed(t *testing.T) {
	var zero sys.FD
	var none *sys.FD
	for _, fd := range []*sys.FD{&zero, none} {
		if fd.Int() != -1 || fd.Release() != -1 || fd.Close() != nil {
			t.Errorf("%p is not closed", fd)
		}
	}
}

func TestFDIsNeverZero(t *testing.T) {
	saved, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Dup3(saved, 0, 0); err != nil {
			t.Error(err)
		}
		unix.Close(saved)
	}()
	unix.Close(0)
	raw := openNull(t)
	if raw != 0 {
		t.Fatalf("the lowest descriptor is %d, want 0", raw)
	}
	fd, err := sys.NewFD(raw)
	if err != nil {
		t.Fatal(err)
	}
	defer fd.Close()
	if fd.Int() <= 0 {
		t.Errorf("Int() = %d, want more than 0", fd.Int())
	}
	flags, err := unix.FcntlInt(uintptr(fd.Int()), unix.F_GETFD, 0)
	if err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags %#x, %v: want FD_CLOEXEC", flags, err)
	}
	if _, err := unix.FcntlInt(0, unix.F_GETFD, 0); err != unix.EBADF {
		t.Errorf("descriptor 0 is still open: %v", err)
	}
}

func TestFDDupIsAnother(t *testing.T) {
	fd, err := sys.NewFD(openNull(t))
	if err != nil {
		t.Fatal(err)
	}
	defer fd.Close()
	second, err := fd.Dup()
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if second.Int() == fd.Int() {
		t.Errorf("both are %d", fd.Int())
	}
	raw := second.Release()
	if second.Int() != -1 || unix.Close(raw) != nil {
		t.Errorf("Release gave %d, which was not open", raw)
	}
}

func TestErrorSaysWhatWhereAndWhy(t *testing.T) {
	err := error(&sys.Error{Op: "pin map", Thing: "flows", Err: unix.EPERM, Do: "needs CAP_BPF"})
	if want := "pin map flows: operation not permitted (needs CAP_BPF)"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	if !errors.Is(err, unix.EPERM) {
		t.Error("the errno is lost")
	}
}
