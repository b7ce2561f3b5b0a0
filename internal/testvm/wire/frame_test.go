package wire

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var sent = []Frame{
	{Kind: Hello, Data: []byte(`{"Release":"6.12"}`)},
	{Kind: Begin, Name: "internal/a b\n"},
	{Kind: Out, Name: "internal/a b\n", Data: []byte("text\n" + mark + "out 7 no frame\n\x00\xff")},
	{Kind: Done, Data: []byte{}},
}

// encode gives the frames as they go over the line, one text each.
func encode(t testing.TB) (texts []string) {
	t.Helper()
	var line bytes.Buffer
	w := NewWriter(&line)
	for _, f := range sent {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, line.String())
		line.Reset()
	}
	return texts
}

// readAll gives the frames of a line, what is none, and the errors in between and at the end.
func readAll(line string) (frames []Frame, junk string, errs []string) {
	var found bytes.Buffer
	r := NewReader(strings.NewReader(line), func(data []byte) { found.Write(data) })
	for {
		f, err := r.Read()
		lost := (*LostError)(nil)
		if err != nil {
			errs = append(errs, err.Error())
		}
		if err != nil && !errors.As(err, &lost) {
			return frames, found.String(), errs
		}
		frames = append(frames, f)
	}
}

func TestFrames(t *testing.T) {
	f := encode(t)
	all := strings.Join(f, "")
	damaged := strings.Replace(f[2], "text", "tent", 1)
	long := strings.Replace(f[2], " 2 ", " 2 6", 1) // announces more than there is before the next frame
	for _, c := range []struct {
		name, line string
		want       []Frame
		junk       string
		errs       []string
	}{
		{"clean", all, sent, "", []string{"EOF"}},
		{"empty", "", nil, "", []string{"EOF"}},
		{"junk before, between and after", "SeaBIOS\r\n" + f[0] + "[ 1.0] BUG\n" + f[1] + f[2] + f[3] + "bye", sent,
			"SeaBIOS\r\n[ 1.0] BUG\nbye", []string{"EOF"}},
		{"marks in junk", mark + "x\n" + mark + mark + f[0] + "\x16\x16@v" + f[1] + f[2] + f[3], sent,
			mark + "x\n" + mark + mark + "\x16\x16@v", []string{"EOF"}},
		{"a mark without an end", mark + strings.Repeat("z", 3000) + all, sent, mark + strings.Repeat("z", 3000), []string{"EOF"}},
		{"damaged", f[0] + f[1] + damaged + f[3], []Frame{sent[0], sent[1], sent[3]}, damaged, []string{"1 frames were lost on the line", "EOF"}},
		{"damaged length", f[0] + f[1] + long + f[3], []Frame{sent[0], sent[1], sent[3]}, long, []string{"1 frames were lost on the line", "EOF"}},
		{"lost", f[0] + f[3], []Frame{sent[0], sent[3]}, "", []string{"2 frames were lost on the line", "EOF"}},
		{"truncated in the data", f[0] + f[1][:len(f[1])-1], sent[:1], f[1][:len(f[1])-1], []string{ErrTruncated.Error()}},
		{"truncated in the head", f[0] + f[1][:12], sent[:1], f[1][:12], []string{ErrTruncated.Error()}},
		{"truncated in the mark", f[0] + f[1][:3], sent[:1], f[1][:3], []string{ErrTruncated.Error()}},
	} {
		got, junk, errs := readAll(c.line)
		if len(c.want) > 1 && c.want[1].Data == nil {
			c.want = append([]Frame{}, c.want...)
			c.want[1].Data = []byte{}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: frames (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.errs, errs); diff != "" {
			t.Errorf("%s: errors (-want +got):\n%s", c.name, diff)
		}
		if junk != c.junk {
			t.Errorf("%s: junk is %q, want %q", c.name, junk, c.junk)
		}
	}
}

// TestStream: a frame is given when it is there, and not when the next byte is.
func TestStream(t *testing.T) {
	from, to := io.Pipe()
	r := NewReader(from, func([]byte) {})
	go func() {
		for _, text := range encode(t) {
			if _, err := io.WriteString(to, "junk"+text); err != nil {
				t.Error(err)
			}
		}
	}()
	for i := range sent {
		f, err := r.Read()
		if err != nil || f.Kind != sent[i].Kind {
			t.Fatalf("frame %d is %s, %v", i, f.Kind, err)
		}
	}
}

func TestTooLong(t *testing.T) {
	if err := NewWriter(io.Discard).Write(Frame{Kind: Out, Data: make([]byte, MaxData+1)}); err == nil {
		t.Error("a frame with more than MaxData bytes was sent")
	}
}

func TestPlan(t *testing.T) {
	want := Plan{Env: []string{"A=b"}, Packages: []Package{{Name: "a", Args: []string{"-x"}, Cover: true}}, Timeout: time.Minute}
	path := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(path, []byte(want.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := ReadPlan(path)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("plan, %v (-want +got):\n%s", err, diff)
	}
}

// FuzzReader reads any line, and finds every frame that comes whole after it.
func FuzzReader(f *testing.F) {
	for _, text := range encode(f) {
		f.Add([]byte(text))
		f.Add([]byte(text[:len(text)/2]))
	}
	last := encode(f)[3]
	f.Fuzz(func(t *testing.T, line []byte) {
		frames, junk, errs := readAll(string(line) + last + strings.Repeat("\n", MaxData+maxHead))
		if len(frames) == 0 {
			t.Errorf("no frame was found behind %q: junk %d bytes, %q", line, len(junk), errs)
		}
	})
}
