package cpio

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// read gives an archive's entries as "mode name: contents", and fails the test if it is not well formed.
func read(t *testing.T, archive []byte) (entries []string) {
	t.Helper()
	inodes := make(map[uint64]bool)
	for at := 0; ; {
		head := archive[at:]
		if len(head) < 110 || string(head[:6]) != "070701" {
			t.Fatalf("at %d there is no entry", at)
		}
		var fields [13]uint64
		for i := range fields {
			value, err := strconv.ParseUint(string(head[6+8*i:14+8*i]), 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			fields[i] = value
		}
		size, nameSize := int(fields[6]), int(fields[11])
		name := string(head[110 : 110+nameSize-1])
		if head[110+nameSize-1] != 0 {
			t.Fatalf("%q does not end with a zero byte", name)
		}
		data := (110 + nameSize + 3) &^ 3
		if name == "TRAILER!!!" {
			if rest := head[data:]; len(bytes.Trim(rest, "\x00")) > 0 || len(archive)%512 != 0 {
				t.Errorf("after the trailer come %d bytes, of %d in all", len(rest), len(archive))
			}
			return entries
		}
		if inodes[fields[0]] {
			t.Errorf("%s has the inode number of another", name)
		}
		inodes[fields[0]] = true
		device := ""
		if fields[9] != 0 || fields[10] != 0 {
			device = fmt.Sprintf(" (%d, %d)", fields[9], fields[10])
		}
		entries = append(entries, fmt.Sprintf("%06o %s%s: %s", fields[1], name, device, head[data:data+size]))
		at += (data + size + 3) &^ 3
	}
}

func TestArchive(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"tree/deep/a": "aaa", "tree/b": "", "program": "#!"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Chmod(dir+"/program", 0o755), os.Symlink("b", dir+"/tree/link")); err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	w := NewWriter(&archive)
	w.CharDevice("/dev/console", 5, 1)
	w.File("/etc/hosts", 0o644, "127.0.0.1 localhost\n")
	w.Dir("etc")
	w.Link("a/b/c", "../d")
	err := errors.Join(w.CopyFile("/init", dir+"/program"), w.CopyTree("/src", dir+"/tree"))
	if w.Has("src/deep/b") || !w.Has("/src/deep/a") || !w.Has("/a/b/") {
		t.Error("the writer does not know what it has")
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"040755 dev: ", "020600 dev/console (5, 1): ", "040755 etc: ", "100644 etc/hosts: 127.0.0.1 localhost\n",
		"040755 a: ", "040755 a/b: ", "120777 a/b/c: ../d", "100755 init: #!",
		"040755 src: ", "100600 src/b: ", "040755 src/deep: ", "100600 src/deep/a: aaa", "120777 src/link: b",
	}
	if diff := cmp.Diff(want, read(t, archive.Bytes())); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if w.Size() != int64(archive.Len()) {
		t.Errorf("Size is %d, the archive has %d bytes", w.Size(), archive.Len())
	}
}

// full takes a few bytes and then no more.
type full struct{ room int }

func (f *full) Write(data []byte) (int, error) {
	if f.room -= len(data); f.room < 0 {
		return 0, errors.New("full")
	}
	return len(data), nil
}

func TestErrors(t *testing.T) {
	w := NewWriter(&full{300})
	w.File("a", 0o644, strings.Repeat("a", 400))
	w.File("b", 0o644, "b")
	if err := w.Close(); err == nil || err.Error() != "full" {
		t.Errorf("Close gives %v, want the first error", err)
	}
	w = NewWriter(&bytes.Buffer{})
	for _, path := range []string{"/dev/null", t.TempDir(), "/none"} {
		if err := w.CopyFile("x", path); err == nil {
			t.Errorf("CopyFile takes %s for a file", path)
		}
	}
	if err := w.CopyTree("x", "/none"); err == nil {
		t.Error("CopyTree takes /none for a directory")
	}
}
