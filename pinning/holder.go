//go:build linux

package pinning

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// maxLocks is how much of /proc/locks is read, in bytes: some thousand locks.
const maxLocks = 1 << 18

// holder names the process that has a directory locked, as far as /proc/locks tells: it does not of processes in other namespaces.
func holder(dir *sys.FD) string {
	var st unix.Stat_t
	if unix.Fstat(dir.Int(), &st) != nil {
		return "another process"
	}
	pid := lockHolder(readFile("/proc/locks", maxLocks), st.Ino)
	if pid == 0 {
		return "another process"
	}
	name := strings.TrimSuffix(readFile(text.Form("/proc/{}/comm").Uint(pid).String(), 64), "\n")
	who := text.Form("process {}").Uint(pid).String()
	if name == "" {
		return who
	}
	return text.Form("{} ({})").Add(who).Add(readable(name)).String()
}

// lockHolder finds who has a flock of an inode: a line is "1: FLOCK  ADVISORY  WRITE 812 00:1c:34 0 EOF". The device there is that of the super
// block, which stat does not always give; inode numbers of other file systems may be the same, but have no flock of a directory.
func lockHolder(locks string, inode uint64) (pid uint64) {
	for line := range strings.Lines(locks) {
		f := strings.Fields(line)
		if len(f) < 6 || f[1] != "FLOCK" || f[3] != "WRITE" {
			continue
		}
		i := strings.LastIndexByte(f[5], ':')
		if n, ok := text.Parse(f[5][i+1:], 10, 64); !ok || n != inode {
			continue
		}
		if n, ok := text.Parse(f[4], 10, 32); ok && n > 0 {
			return n
		}
	}
	return 0
}

// readFile gives what a file in /proc holds, up to a limit; "" if it cannot be read.
func readFile(path string, limit int) string {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	var all []byte
	buf := make([]byte, 4096)
	for len(all) < limit {
		n, err := unix.Read(fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			break
		}
		all = append(all, buf[:n]...)
	}
	return string(all)
}
