package link_test

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

// TestFromFDNotLink gives FromFD everything that is no link. It closes each.
func TestFromFDNotLink(t *testing.T) {
	for _, test := range []struct {
		name string
		open func(t *testing.T) *sys.FD
	}{
		{"map", func(t *testing.T) *sys.FD { return newCounter(t) }},
		{"program", func(t *testing.T) *sys.FD { return rawTP.load(t) }},
		{"BTF", newBTF},
		{"file", func(t *testing.T) *sys.FD { return openFile(t, os.DevNull) }},
		{"directory", func(t *testing.T) *sys.FD { return openFile(t, "/") }},
		{"perf event", func(t *testing.T) *sys.FD { return clock(t) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			fd := test.open(t)
			_, err := link.FromFD(fd)
			wantError(t, err, link.ErrNotLink)
			if fd.Int() != -1 {
				t.Errorf("descriptor %d is still open", fd.Int())
			}
		})
	}
	for _, fd := range []*sys.FD{nil, new(sys.FD)} {
		_, err := link.FromFD(fd)
		wantError(t, err, sys.ErrClosed)
	}
}

// newBTF loads BTF that holds no type but int.
func newBTF(t *testing.T) *sys.FD {
	t.Helper()
	raw := assemble(
		words(0x0001eb9f, 24, 0, 16, 16, 5), // header: 16 bytes of types, then 5 of strings
		words(1, 1<<24, 4, 32),              // int, 4 bytes, 32 bits
		[]byte("\x00int\x00"),
	)
	fd, err := sys.BTFLoad(&sys.BTFLoadAttr{BTF: sys.Slice(raw), BTFSize: uint32(len(raw))})
	check(t, err)
	t.Cleanup(func() { fd.Close() })
	return fd
}

func openFile(t *testing.T, path string) *sys.FD {
	t.Helper()
	raw, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	check(t, err)
	fd, err := sys.NewFD(raw)
	check(t, err)
	t.Cleanup(func() { fd.Close() })
	return fd
}

func TestLinkString(t *testing.T) {
	l := attach(t, link.RawTracepoint{Name: "sys_enter"}, rawTP.load(t))
	err := l.Update(rawTP.load(t), nil)
	wantAdvice(t, err, "update "+l.String()+": this kind of link cannot change its program: invalid argument (attach the new program")
}
