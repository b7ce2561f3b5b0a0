package sys

import (
	"encoding/binary"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// IsBPFFS tells whether fd, of a directory or anything else, lies on a bpffs.
func IsBPFFS(fd *FD) (bool, error) {
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd.Int(), &st); err != nil {
		return false, err
	}
	// The field is signed and 32 bits wide on some architectures.
	return uint32(st.Type) == unix.BPF_FS_MAGIC, nil
}

// OpenDirAt opens the directory name below dir, or the path name where dir is nil. The last component is not followed if it is a
// symbolic link (ELOOP or ENOTDIR); for a path, those before it are.
func OpenDirAt(dir *FD, name string) (*FD, error) {
	at := unix.AT_FDCWD
	if dir != nil {
		at = dir.Int()
	}
	for {
		raw, err := unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		return NewFD(raw)
	}
}

// PinAt pins fd as name in dir. It is ObjPin with what a path needs on every kernel: see objAt.
func PinAt(dir *FD, name string, fd *FD) error {
	_, err := objAt(dir, name, func(attr *ObjAttr) (*FD, error) {
		attr.BPFFD = fd.Attr()
		return nil, ObjPin(attr)
	})
	return err
}

// GetAt opens the pin name in dir. The last component must not be a symbolic link: it is looked at first, and ELOOP given. Whoever may
// change dir meanwhile can still swap the pin, so verify the id of what comes back.
func GetAt(dir *FD, name string, flags uint32) (*FD, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(dir.Int(), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return nil, err
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFLNK:
		return nil, unix.ELOOP
	default:
		return nil, unix.EISDIR
	}
	return objAt(dir, name, func(attr *ObjAttr) (*FD, error) {
		attr.FileFlags |= flags
		return ObjGet(attr)
	})
}

// lacksPathFD is set once this kernel has refused BPF_F_PATH_FD (before Linux 6.5) and taken the same call another way.
var lacksPathFD atomic.Bool

// objAt makes an ObjPin or ObjGet of name in the directory dir. Linux 6.5 takes the directory's descriptor; before, the path goes through
// /proc/self/fd; where /proc is not mounted, through the working directory of a thread of its own.
func objAt(dir *FD, name string, call func(*ObjAttr) (*FD, error)) (*FD, error) {
	if !lacksPathFD.Load() {
		path, err := CString(name)
		if err != nil {
			return nil, err
		}
		fd, err := call(&ObjAttr{Pathname: path, FileFlags: unix.BPF_F_PATH_FD, PathFD: int32(dir.Int())})
		if err != unix.EINVAL {
			return fd, err
		}
	}
	fd, err := objAtProc(dir, name, call)
	if err != unix.EINVAL {
		lacksPathFD.Store(true)
	}
	return fd, err
}

func objAtProc(dir *FD, name string, call func(*ObjAttr) (*FD, error)) (*FD, error) {
	below := "/proc/self/fd/" + strconv.Itoa(dir.Int())
	var st unix.Stat_t
	if unix.Stat(below, &st) != nil {
		return objAtThread(dir, name, call)
	}
	path, err := CString(below + "/" + name)
	if err != nil {
		return nil, err
	}
	return call(&ObjAttr{Pathname: path})
}

func objAtThread(dir *FD, name string, call func(*ObjAttr) (*FD, error)) (fd *FD, err error) {
	path, err := CString(name)
	if err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		// The thread ends with the goroutine, since it is not unlocked: its working directory is no one else's. Only the process's first
		// thread is kept by the runtime, parked, so it must not keep the mount busy.
		runtime.LockOSThread()
		if err = unix.Unshare(unix.CLONE_FS); err != nil {
			return
		}
		if err = unix.Fchdir(dir.Int()); err != nil {
			return
		}
		fd, err = call(&ObjAttr{Pathname: path})
		unix.Chdir("/")
	}()
	<-done
	return fd, err
}

// RenameNoReplace moves a file or a directory; EEXIST if there is anything at the new name.
func RenameNoReplace(oldDir *FD, oldName string, newDir *FD, newName string) error {
	return unix.Renameat2(oldDir.Int(), oldName, newDir.Int(), newName, unix.RENAME_NOREPLACE)
}

// Exchange swaps two files or directories in one step; EINVAL on bpffs before Linux 5.16.
func Exchange(oldDir *FD, oldName string, newDir *FD, newName string) error {
	return unix.Renameat2(oldDir.Int(), oldName, newDir.Int(), newName, unix.RENAME_EXCHANGE)
}

// Lock takes the exclusive flock(2) of a directory, waiting no longer than wait; EAGAIN if it is still held. Never lock the
// descriptor of a map, program or link: all of them share one inode, and so one lock.
func Lock(dir *FD, wait time.Duration) error {
	start := time.Now()
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := unix.Flock(dir.Int(), unix.LOCK_EX|unix.LOCK_NB)
		left := wait - time.Since(start)
		if err == nil || err != unix.EAGAIN && err != unix.EINTR || left <= 0 {
			return err
		}
		time.Sleep(min(pause, left))
	}
}

// ReadNames gives the names in a directory, without "." and "..".
func ReadNames(dir *FD) ([]string, error) {
	if _, err := unix.Seek(dir.Int(), 0, 0); err != nil {
		return nil, err
	}
	var names []string
	buf := make([]byte, 4096)
	for {
		n, err := unix.Getdents(dir.Int(), buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return names, err
		}
		for entries := buf[:n]; len(entries) > 0; {
			var name string
			name, entries = firstName(entries)
			if name != "." && name != ".." {
				names = append(names, name)
			}
		}
	}
}

// firstName takes the first struct linux_dirent64 off some: 8 bytes of inode, 8 of offset, 2 of its length, 1 of type, then the name with a
// NUL. (unix.ParseDirent is larger, for it reads the entries of all systems.)
func firstName(entries []byte) (name string, rest []byte) {
	const lengthAt, nameAt = 16, 19
	length := binary.NativeEndian.Uint16(entries[lengthAt:])
	return unix.ByteSliceToString(entries[nameAt:length]), entries[length:]
}

// ReadLinkAt gives the target of the symbolic link name in dir: on bpffs up to 4095 bytes of any kind but NUL.
func ReadLinkAt(dir *FD, name string) (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(dir.Int(), name, buf)
	if err != nil {
		return "", err
	}
	return unsafe.String(unsafe.SliceData(buf), n), nil
}
