// Package wire is what the host and the guest tell each other: the plan that the guest carries out, and the frames in which it sends
// back what came of it.
//
// A frame is a line and the bytes that it announces:
//
//	\x16@vm KIND SEQUENCE LENGTH CRC NAME\n
//	the bytes, and \n
//
// NAME is quoted as in Go. The checksum (CRC-32, IEEE) is over kind, sequence, name and bytes. A serial line may carry what is no frame: the reader looks for
// the next beginning, and gives what lies between as junk. Sequence numbers show that frames are missing.
package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The kinds of frames.
const (
	Hello = "hello" // the guest runs: a [Greeting]
	Say   = "say"   // something that the guest wants to be known, as text
	Begin = "begin" // a package's tests begin; Name is the package
	Out   = "out"   // what they write
	Cover = "cover" // a piece of a file of coverage data, compressed with gzip; Name is the file's
	End   = "end"   // they are over: an [Ending]
	Done  = "done"  // all packages are over
)

// MaxData is the most bytes that a frame carries. What is longer goes in several: a length that was damaged on the line must not make the reader
// wait for long.
const MaxData = 64 << 10

const mark = "\x16@vm "

// A Frame is one message from the guest.
type Frame struct {
	Kind string
	Name string
	Data []byte
}

// A Greeting is what a guest says of itself first.
type Greeting struct {
	Release string        // of its kernel
	Uptime  time.Duration // of its kernel
}

// An Ending tells how a package's test binary ended.
type Ending struct {
	Exit    int    // exit status, -1 if it has none
	Signal  string // that killed it, "" if none did
	Error   string // why it could not be run, "" if it was
	Killed  bool   // by the guest, since it ran too long
	OOM     int    // processes that the kernel killed meanwhile because memory was short
	Took    time.Duration
	Missing int // bytes of output that the guest threw away because there were too many
}

// A Writer sends frames. It may be used by several goroutines.
type Writer struct {
	lock sync.Mutex
	to   io.Writer
	next uint64
}

// NewWriter makes a Writer.
func NewWriter(to io.Writer) *Writer { return &Writer{to: to} }

// Write sends one frame, in a single write.
func (w *Writer) Write(f Frame) error {
	if len(f.Data) > MaxData {
		return fmt.Errorf("%s %s: %d bytes are too many for a frame", f.Kind, f.Name, len(f.Data))
	}
	w.lock.Lock()
	defer w.lock.Unlock()
	head := fmt.Appendf(nil, "%s%s %d %d %08x %q\n", mark, f.Kind, w.next, len(f.Data), sum(f, w.next), f.Name)
	w.next++
	_, err := w.to.Write(append(append(head, f.Data...), '\n'))
	return err
}

func sum(f Frame, sequence uint64) uint32 {
	s := crc32.ChecksumIEEE(fmt.Appendf(nil, "%s %d %q ", f.Kind, sequence, f.Name))
	return crc32.Update(s, crc32.IEEETable, f.Data)
}

// ErrTruncated tells that the line ended within a frame.
var ErrTruncated = errors.New("the line ended within a frame")

// A LostError tells that frames are missing before the one that was just read.
type LostError struct{ Frames uint64 }

func (e *LostError) Error() string { return fmt.Sprintf("%d frames were lost on the line", e.Frames) }

// A Reader finds frames on a line.
type Reader struct {
	from      *bufio.Reader
	next      uint64
	junk      func([]byte)
	truncated bool
}

// NewReader makes a Reader that gives bytes that belong to no frame to junk.
func NewReader(from io.Reader, junk func([]byte)) *Reader {
	return &Reader{from: bufio.NewReaderSize(from, 4096), junk: junk}
}

// Read gives the next frame. The error is io.EOF at the end of the line, [ErrTruncated] if a frame had begun there, or a *[LostError]
// together with a frame that came after lost ones.
func (r *Reader) Read() (Frame, error) {
	for {
		if err := r.findMark(); err != nil {
			return Frame{}, r.ended(err)
		}
		head, err := r.readHead()
		f, sequence, size, crc, ok := parseHead(strings.TrimSuffix(head, "\n"))
		if err != nil || !ok {
			r.truncated = r.truncated || err == io.EOF
			r.unread(mark + head)
			continue
		}
		data := make([]byte, size+1)
		n, err := io.ReadFull(r.from, data)
		f.Data = data[:size]
		if err != nil || data[size] != '\n' || sum(f, sequence) != crc {
			r.truncated = r.truncated || err != nil
			r.unread(mark + head + string(data[:n]))
			continue
		}
		r.truncated = false
		lost := sequence - r.next
		r.next = sequence + 1
		if lost != 0 {
			return f, &LostError{lost}
		}
		return f, nil
	}
}

// maxHead is the longest line that can begin a frame.
const maxHead = 1024

// readHead reads the line after a mark. Without a limit, a mark in junk would make it wait for a line's end that never comes.
func (r *Reader) readHead() (string, error) {
	var head []byte
	for len(head) < maxHead {
		c, err := r.from.ReadByte()
		if err != nil {
			return string(head), err
		}
		if head = append(head, c); c == '\n' {
			break
		}
	}
	return string(head), nil
}

// unread takes back what began as a frame and is none. Its first byte is junk; a true frame may lie in the rest.
func (r *Reader) unread(s string) {
	r.junk([]byte(s[:1]))
	r.from = bufio.NewReader(io.MultiReader(strings.NewReader(s[1:]), r.from))
}

// findMark reads up to the next beginning of a frame, and past it.
func (r *Reader) findMark() error {
	for {
		before, err := r.from.ReadSlice(mark[0])
		if before = bytes.TrimSuffix(before, []byte(mark[:1])); len(before) > 0 {
			r.junk(before)
		}
		if err == bufio.ErrBufferFull {
			continue
		} else if err != nil {
			return err
		}
		rest, err := r.from.Peek(len(mark) - 1)
		if string(rest) == mark[1:] {
			_, err := r.from.Discard(len(rest))
			return err
		}
		r.junk([]byte(mark[:1]))
		if err != nil && err != io.EOF {
			return err
		}
		r.truncated = r.truncated || err == io.EOF && strings.HasPrefix(mark[1:], string(rest))
	}
}

// ended gives the error at the end of the line.
func (r *Reader) ended(err error) error {
	if err == io.EOF && r.truncated {
		return ErrTruncated
	}
	return err
}

// parseHead reads the line after the mark.
func parseHead(head string) (f Frame, sequence uint64, size int, crc uint32, ok bool) {
	fields := strings.SplitN(head, " ", 5)
	if len(fields) != 5 {
		return f, 0, 0, 0, false
	}
	f.Kind = fields[0]
	sequence, errSequence := strconv.ParseUint(fields[1], 10, 64)
	length, errSize := strconv.ParseUint(fields[2], 10, 32)
	check, errSum := strconv.ParseUint(fields[3], 16, 32)
	name, errName := strconv.Unquote(fields[4])
	f.Name = name
	ok = errors.Join(errSequence, errSize, errSum, errName) == nil && length <= MaxData
	return f, sequence, int(length), uint32(check), ok
}
