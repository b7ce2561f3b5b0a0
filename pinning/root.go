//go:build linux

package pinning

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// Root is a directory on a bpffs under which objects are pinned, one directory each. Its methods may be called by several goroutines and
// processes at once.
type Root struct {
	path string // ends in a slash
	dir  *sys.FD
}

// OpenRoot opens a directory on a mounted bpffs: "/sys/fs/bpf" on most systems. It creates and mounts nothing. The error is
// [ErrNotBPFFS] with what to mount, or what the directory's path is refused for. Dots in the path are fine: only names on bpffs have none.
func OpenRoot(path string) (*Root, error) {
	clean, err := cleanRoot(path)
	if err != nil {
		return nil, err
	}
	dir, err := sys.OpenDirAt(nil, bare(clean))
	if err != nil {
		do := ""
		if err == unix.ENOENT {
			do = "use CreateRoot to make it, or mount a bpffs there"
		}
		return nil, fail("open root", path, err, do)
	}
	is, err := sys.IsBPFFS(dir)
	if err == nil && !is {
		err = ErrNotBPFFS
	}
	if err != nil {
		dir.Close()
		return nil, fail("open root", path, err, "mount one with: mount -t bpf bpffs "+path)
	}
	return &Root{path: clean, dir: dir}, nil
}

// CreateRoot is OpenRoot that makes the directories of the path that are missing, with mode 0700, on the bpffs that the existing ones lie on.
func CreateRoot(path string) (*Root, error) {
	clean, err := cleanRoot(path)
	if err != nil {
		return nil, err
	}
	above, missing := bare(clean), ""
	dir, err := sys.OpenDirAt(nil, above)
	for err == unix.ENOENT && above != "/" {
		i := strings.LastIndexByte(above, '/')
		missing = above[i+1:] + "/" + missing
		above = max(above[:i], "/")
		dir, err = sys.OpenDirAt(nil, above)
	}
	if err != nil {
		return nil, fail("create root", path, err, "")
	}
	defer dir.Close()
	is, err := sys.IsBPFFS(dir)
	if err == nil && !is && missing != "" {
		err = because(ErrNotBPFFS, above, nil)
	}
	if err != nil {
		return nil, fail("create root", path, err, "mount one with: mount -t bpf bpffs "+above)
	}
	if missing != "" {
		below, _, err := makeDirs(dir, missing[:len(missing)-1])
		if err != nil {
			return nil, fail("create root", path, err, "")
		}
		below.Close()
	}
	return OpenRoot(path)
}

// bare gives a path without the slash at its end.
func bare(path string) string {
	if path == "/" {
		return path
	}
	return path[:len(path)-1]
}

// Path is the root's path, without a slash at its end.
func (r *Root) Path() string { return bare(r.path) }

// Close closes the directory. Closing once more does nothing; any other method then fails.
func (r *Root) Close() error { return r.dir.Close() }
