package faults

import (
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// A Call is one that an operation makes.
type Call struct {
	N     int    // from 1 on
	Name  string // "mkdirat"; of bpf(2) with the command: "bpf OBJ_PIN"
	What  string // what it is about, for people
	flags uint64 // of renameat2
}

func (c Call) String() string { return fmt.Sprintf("call %d, %s(%s)", c.N, c.Name, c.What) }

// commands are those of bpf(2) by number (enum bpf_cmd).
var commands = strings.Fields(`MAP_CREATE MAP_LOOKUP_ELEM MAP_UPDATE_ELEM MAP_DELETE_ELEM MAP_GET_NEXT_KEY PROG_LOAD OBJ_PIN OBJ_GET PROG_ATTACH PROG_DETACH
	PROG_TEST_RUN PROG_GET_NEXT_ID MAP_GET_NEXT_ID PROG_GET_FD_BY_ID MAP_GET_FD_BY_ID OBJ_GET_INFO_BY_FD PROG_QUERY RAW_TRACEPOINT_OPEN BTF_LOAD
	BTF_GET_FD_BY_ID TASK_FD_QUERY MAP_LOOKUP_AND_DELETE_ELEM MAP_FREEZE BTF_GET_NEXT_ID MAP_LOOKUP_BATCH MAP_LOOKUP_AND_DELETE_BATCH MAP_UPDATE_BATCH
	MAP_DELETE_BATCH LINK_CREATE LINK_UPDATE LINK_GET_FD_BY_ID LINK_GET_NEXT_ID ENABLE_STATS ITER_CREATE LINK_DETACH PROG_BIND_MAP TOKEN_CREATE`)

// kind is what calls have in common that fail together: bpf(2) is one whatever the command.
func (c *Call) kind() string {
	kind, _, _ := strings.Cut(c.Name, " ")
	return kind
}

// errnos are what the kernel gives there, one for each reason that it has: no right to, no memory or room, no descriptor, or something that an older
// kernel or another configuration has not. What cannot come is left out: ENOENT in a directory that only the process knows.
var errnos = map[string][]unix.Errno{
	"mkdirat": {unix.EACCES, unix.ENOSPC, unix.ENOMEM}, "symlinkat": {unix.EACCES, unix.ENOSPC, unix.ENOMEM}, "linkat": {unix.EPERM, unix.ENOSPC, unix.EMLINK},
	"unlinkat": {unix.EPERM, unix.EBUSY, unix.ENOMEM}, "renameat2": {unix.EACCES, unix.EBUSY, unix.ENOMEM}, "renameat": {unix.EACCES, unix.ENOMEM},
	"openat": {unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.EACCES, unix.EINTR}, "openat2": {unix.EMFILE, unix.EAGAIN, unix.ENOSYS},
	"flock": {unix.EINTR, unix.ENOLCK, unix.EAGAIN}, "readlinkat": {unix.ENOMEM, unix.EACCES}, "newfstatat": {unix.ENOMEM, unix.EACCES},
	"getdents64": {unix.ENOMEM, unix.EINTR}, "fcntl": {unix.EMFILE}, "fchmodat": {unix.EPERM}, "perf_event_open": {unix.EACCES, unix.EMFILE, unix.EBUSY},

	"bpf MAP_CREATE": {unix.EPERM, unix.ENOMEM, unix.EINVAL}, "bpf MAP_UPDATE_ELEM": {unix.ENOMEM, unix.E2BIG}, "bpf MAP_LOOKUP_ELEM": {unix.EPERM},
	"bpf MAP_FREEZE": {unix.EPERM, unix.EBUSY}, "bpf BTF_LOAD": {unix.EPERM, unix.ENOMEM, unix.EINVAL}, "bpf PROG_LOAD": {unix.EPERM, unix.ENOMEM, unix.EAGAIN},
	"bpf OBJ_PIN": {unix.EPERM, unix.ENOSPC, unix.EINVAL}, "bpf OBJ_GET": {unix.EPERM, unix.EMFILE, unix.EINVAL}, "bpf OBJ_GET_INFO_BY_FD": {unix.ENOMEM},
	"bpf LINK_CREATE": {unix.EPERM, unix.ENOMEM, unix.EBUSY}, "bpf RAW_TRACEPOINT_OPEN": {unix.EPERM, unix.ENOMEM},
	"bpf LINK_UPDATE": {unix.EPERM, unix.ENOMEM, unix.EINVAL}, "bpf LINK_DETACH": {unix.EPERM, unix.ENOMEM, unix.EOPNOTSUPP},
	"bpf MAP_GET_NEXT_ID": {unix.EPERM}, "bpf PROG_GET_NEXT_ID": {unix.EPERM}, "bpf LINK_GET_NEXT_ID": {unix.EPERM},
	"bpf MAP_GET_FD_BY_ID": {unix.EPERM, unix.EMFILE}, "bpf PROG_GET_FD_BY_ID": {unix.EPERM, unix.EMFILE}, "bpf LINK_GET_FD_BY_ID": {unix.EPERM, unix.EMFILE},
}

// Errnos gives those to try on a call. Only an exchange can be refused with EINVAL: before Linux 5.16.
func (c *Call) Errnos() []unix.Errno {
	all := errnos[c.Name]
	switch {
	case c.Name == "renameat2" && c.flags&unix.RENAME_EXCHANGE != 0:
		return append([]unix.Errno{unix.EINVAL}, all...)
	case all == nil && c.kind() == "bpf":
		return []unix.Errno{unix.EPERM, unix.ENOMEM}
	}
	return all
}

// changing are the calls after which there is something else to be found when the process is dead. Those that make a descriptor only do not.
var changing = map[string]bool{
	"mkdirat": true, "symlinkat": true, "linkat": true, "unlinkat": true, "renameat2": true, "renameat": true, "fchmodat": true,
	"bpf OBJ_PIN": true, "bpf LINK_UPDATE": true, "bpf LINK_DETACH": true, "bpf MAP_UPDATE_ELEM": true, "bpf MAP_DELETE_ELEM": true, "bpf MAP_UPDATE_BATCH": true,
	"bpf MAP_FREEZE": true, "bpf PROG_ATTACH": true, "bpf PROG_DETACH": true,
}

// Changes tells whether something stays of the call when its process dies.
func (c *Call) Changes() bool { return changing[c.Name] }

// callOf describes the call that a thread is about to make; nil for one that does not count.
func callOf(thread int, number uint64, args [6]uint64) *Call {
	c := &Call{}
	for name, n := range numbers {
		if n == number {
			c.Name = name
		}
	}
	at := func(i int) string { return readString(thread, uintptr(args[i])) }
	switch c.Name {
	case "bpf":
		command := fmt.Sprint(args[0])
		if args[0] < uint64(len(commands)) {
			command = commands[args[0]]
		}
		if c.Name += " " + command; command == "OBJ_PIN" || command == "OBJ_GET" {
			c.What = readString(thread, uintptr(binary.NativeEndian.Uint64(read(thread, uintptr(args[1]), 8))))
		}
	case "symlinkat":
		c.What = at(2)
	case "renameat2", "renameat", "linkat":
		c.What = at(1) + " -> " + at(3)
		if c.flags = args[4]; c.Name == "renameat2" && c.flags&unix.RENAME_EXCHANGE != 0 {
			c.What += ", exchange"
		}
	case "fcntl":
		if args[1] != unix.F_DUPFD_CLOEXEC {
			return nil
		}
		c.What = "F_DUPFD_CLOEXEC"
	case "mkdirat", "unlinkat", "openat", "openat2", "readlinkat", "newfstatat", "fchmodat":
		c.What = at(1)
	}
	return c
}

// read gives bytes of a process's memory; zeros where there is none.
func read(process int, at uintptr, n int) []byte {
	buf := make([]byte, n)
	local := []unix.Iovec{{Base: &buf[0]}}
	local[0].SetLen(n)
	unix.ProcessVMReadv(process, local, []unix.RemoteIovec{{Base: at, Len: n}}, 0)
	return buf
}

// readString gives a string of a process. What crosses into a page that is not there is cut off.
func readString(process int, at uintptr) string {
	const most, page = 300, 4096
	buf := read(process, at, min(most, page-int(at%page)))
	if len(buf) < most && buf[len(buf)-1] != 0 {
		buf = append(buf, read(process, at+uintptr(len(buf)), most-len(buf))...)
	}
	return unix.ByteSliceToString(buf)
}
