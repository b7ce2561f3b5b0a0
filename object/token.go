package object

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// Token lets a process without rights of its own load what a bpffs was delegated for: [CreateToken] makes one, [LoadOptions] take it. One may serve any number of loads, at once too.
type Token struct{ fd *sys.FD }

// CreateToken makes a token of the bpffs that is mounted at a path. Whoever mounted it said what it is for (delegate_cmds, delegate_maps, delegate_progs, delegate_attachs), and it must
// have been opened in the user namespace of this process, in which the process must have CAP_BPF (Documentation/filesystems of the kernel; man bpf(2), BPF_TOKEN_CREATE). Linux 6.9.
//
// The error is a [*sys.Error], and wraps ENOENT if nothing is delegated by that mount, EINVAL if it is no mount of a bpffs, or if the kernel is older, EPERM if the process has no CAP_BPF in its namespace, or is in another than the mount is of, and
// EOPNOTSUPP in the first user namespace, which needs no tokens.
func CreateToken(bpffs string) (*Token, error) {
	fail := func(err error, do string) (*Token, error) {
		return nil, sys.Fail("create a token of bpffs", text.Quote(bpffs), err, do)
	}
	raw, err := unix.Open(bpffs, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_DIRECTORY, 0)
	if err != nil {
		return fail(err, "")
	}
	dir, err := sys.NewFD(raw)
	if err != nil {
		return fail(err, "")
	}
	defer dir.Close()
	fd, err := sys.TokenCreate(&sys.TokenCreateAttr{BPFFSFD: dir.Attr()})
	switch err {
	case nil:
		return &Token{fd}, nil
	case unix.ENOENT:
		return fail(err, "the mount delegates nothing; it must be made with delegate_cmds and the like")
	case unix.EOPNOTSUPP:
		return fail(err, "the process is in the first user namespace, and needs no token")
	case unix.EINVAL, unix.E2BIG:
		return fail(err, "it must be where a bpffs is mounted, and "+needs("6.9", "BPF tokens"))
	case unix.EPERM:
		return fail(err, "needs CAP_BPF in the user namespace that the bpffs was opened in, and to be in that namespace")
	}
	return fail(err, "")
}

// Close closes the token. What was loaded with it stays. Closing once more does nothing.
func (t *Token) Close() error { return t.fd.Close() }

// flagToken is BPF_F_TOKEN_FD, of maps, programs and BTF alike.
const flagToken = 1 << 16

// attr gives the token as attributes have it, and the flag that says so; zeros if there is none.
func (t *Token) attr() (fd int32, flag uint32) {
	if t == nil {
		return 0, 0
	}
	return int32(t.fd.Int()), flagToken
}
