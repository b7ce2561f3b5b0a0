package sys

import (
	"errors"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// ErrClosed is what an operation on a closed handle answers.
var ErrClosed = errors.New("already closed")

// FD owns a file descriptor: it is close-on-exec, never 0, and closed exactly once, by Close. There is no finalizer: closing the last
// descriptor of a link detaches a program, so closing is an act of the program's author. The zero FD is closed.
//
// The methods may be called from several goroutines; whoever closes an FD has to know that nobody still uses its number.
type FD struct {
	raw atomic.Int32 // 0 when closed
}

// NewFD takes over a file descriptor. Number 0 is moved away, since attributes take 0 for "none"; on an error raw is closed.
func NewFD(raw int) (*FD, error) {
	if raw == 0 {
		moved, err := dup(raw)
		unix.Close(raw)
		if err != nil {
			return nil, err
		}
		raw = moved
	}
	if raw < 0 {
		return nil, unix.EBADF
	}
	fd := new(FD)
	fd.raw.Store(int32(raw))
	return fd, nil
}

func dup(raw int) (int, error) {
	return unix.FcntlInt(uintptr(raw), unix.F_DUPFD_CLOEXEC, 1)
}

// Int gives the number, -1 if fd is nil or closed, to which the kernel answers EBADF.
//
//go:noinline
func (fd *FD) Int() int {
	if fd == nil {
		return -1
	}
	if raw := fd.raw.Load(); raw != 0 {
		return int(raw)
	}
	return -1
}

// Attr gives the number as the fields of attributes take it.
//
//go:noinline
func (fd *FD) Attr() uint32 { return uint32(int32(fd.Int())) }

// Dup gives a second descriptor of the same open file. It is ErrClosed if fd is closed.
func (fd *FD) Dup() (*FD, error) {
	raw := fd.Int()
	if raw < 0 {
		return nil, ErrClosed
	}
	moved, err := dup(raw)
	if err != nil {
		return nil, err
	}
	return NewFD(moved)
}

// Release gives up ownership and returns the number, -1 if there is none any more.
func (fd *FD) Release() int {
	if fd == nil {
		return -1
	}
	if raw := fd.raw.Swap(0); raw != 0 {
		return int(raw)
	}
	return -1
}

// Close closes the descriptor. Closing once more, or closing a nil FD, does nothing.
func (fd *FD) Close() error {
	raw := fd.Release()
	if raw < 0 {
		return nil
	}
	return unix.Close(raw)
}
