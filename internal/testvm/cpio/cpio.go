// Package cpio writes the archives that Linux unpacks into its first root file system: cpio in the "newc" format, without root and
// without tools. Documentation/driver-api/early-userspace/buffer-format.rst of the kernel describes them.
package cpio

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// The types of file that st_mode has, as the kernel counts them.
const (
	typeChar = 0o020000
	typeDir  = 0o040000
	typeFile = 0o100000
	typeLink = 0o120000
)

// A Writer writes one archive. It makes the directories above each file by itself, and keeps the first error: [Writer.Close] gives it.
type Writer struct {
	to    io.Writer
	size  int64 // of what was written
	inode int
	made  map[string]bool
	err   error
}

// NewWriter begins an archive.
func NewWriter(to io.Writer) *Writer {
	return &Writer{to: to, made: map[string]bool{".": true, "/": true}}
}

// Has tells whether something was added under a name.
func (w *Writer) Has(name string) bool { return w.made[clean(name)] }

// Size is the number of bytes written until now.
func (w *Writer) Size() int64 { return w.size }

// Dir adds a directory, and those above it, with mode 0755. What is there already stays as it is.
func (w *Writer) Dir(name string) {
	name = clean(name)
	if w.made[name] {
		return
	}
	w.above(name)
	w.entry(header{name: name, mode: typeDir | 0o755, links: 2}, strings.NewReader(""))
}

// Link adds a symbolic link.
func (w *Writer) Link(name, target string) {
	w.above(clean(name))
	w.entry(header{name: clean(name), mode: typeLink | 0o777, links: 1, size: int64(len(target))}, strings.NewReader(target))
}

// CharDevice adds a character device, with mode 0600.
func (w *Writer) CharDevice(name string, major, minor int) {
	w.above(clean(name))
	w.entry(header{name: clean(name), mode: typeChar | 0o600, links: 1, major: major, minor: minor}, strings.NewReader(""))
}

// File adds a file with these bytes.
func (w *Writer) File(name string, mode fs.FileMode, data string) {
	w.above(clean(name))
	w.entry(header{name: clean(name), mode: typeFile | int64(mode.Perm()), links: 1, size: int64(len(data))}, strings.NewReader(data))
}

// CopyFile adds a file of the host under a name, with its mode. Symbolic links are followed.
func (w *Writer) CopyFile(name, from string) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", from)
	}
	w.above(clean(name))
	w.entry(header{name: clean(name), mode: typeFile | int64(info.Mode().Perm()), links: 1, size: info.Size()}, file)
	return w.err
}

// CopyTree adds a directory of the host with all below it. Symbolic links stay links.
func (w *Writer) CopyTree(name, from string) error {
	return filepath.WalkDir(from, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, at)
		if err != nil {
			return err
		}
		to := path.Join(name, filepath.ToSlash(below))
		switch {
		case entry.IsDir():
			w.Dir(to)
		case entry.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(at)
			if err != nil {
				return err
			}
			w.Link(to, target)
		case entry.Type().IsRegular():
			return w.CopyFile(to, at)
		}
		return w.err
	})
}

// Close ends the archive and gives the first error of all that was added. The archive is padded so that another may follow.
func (w *Writer) Close() error {
	w.entry(header{name: "TRAILER!!!", links: 1}, strings.NewReader(""))
	w.pad(512)
	return w.err
}

// above makes the directories above a name.
func (w *Writer) above(name string) {
	if parent := path.Dir(name); !w.made[parent] {
		w.Dir(parent)
	}
}

// header is what differs between entries. All belong to root, and are of 1970.
type header struct {
	name         string
	mode         int64
	links        int
	size         int64
	major, minor int // of a device
}

// entry writes a header and what it announces.
func (w *Writer) entry(h header, data io.Reader) {
	w.made[h.name] = true
	w.inode++
	if h.size >= 1<<32 {
		w.fail(fmt.Errorf("%s has %d bytes: the format ends at 4 GiB", h.name, h.size))
	}
	w.write(fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		w.inode, h.mode, 0, 0, h.links, 0, h.size, 0, 0, h.major, h.minor, len(h.name)+1, 0, h.name))
	w.pad(4)
	if w.err != nil {
		return
	}
	n, err := io.Copy(w.to, io.LimitReader(data, h.size))
	w.size += n
	if err == nil && n < h.size {
		err = fmt.Errorf("%s shrank from %d to %d bytes while it was read", h.name, h.size, n)
	}
	w.fail(err)
	w.pad(4)
}

func (w *Writer) write(s string) {
	if w.err != nil {
		return
	}
	n, err := io.WriteString(w.to, s)
	w.size += int64(n)
	w.fail(err)
}

func (w *Writer) pad(to int64) {
	w.write(strings.Repeat("\x00", int((to-w.size%to)%to)))
}

func (w *Writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// clean makes the name as it stands in the archive: below the root, without a slash before it.
func clean(name string) string {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	if name == "" {
		return "."
	}
	return name
}
