package link

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// Cgroup attaches to a cgroup: programs of the types cgroup_skb, cgroup_sock, cgroup_sock_addr, cgroup_sockopt, cgroup_sysctl, cgroup_device and sock_ops.
// They run for the cgroup and for all below it, beside what else is attached there.
type Cgroup struct {
	Dir        *sys.FD        // the cgroup's directory, see [OpenCgroup]
	AttachType sys.AttachType // what the program was loaded for
	Order      Order          // its place among the others: Linux 6.17

	// ExpectedRevision, if not 0, is the revision that the hook's list must have, else ESTALE: Linux 6.17. [QueryCgroup] gives it.
	ExpectedRevision uint64
}

// Attach makes a cgroup link. It needs CAP_BPF and CAP_NET_ADMIN.
func (c Cgroup) Attach(program *sys.FD) (*Link, error) {
	l, err := c.create(program)
	if err != nil {
		return nil, sys.Fail("attach to cgroup", c.AttachType.String(), err, c.advice(err))
	}
	return l, nil
}

func (c Cgroup) create(program *sys.FD) (*Link, error) {
	if anyClosed(program, c.Dir) {
		return nil, sys.ErrClosed
	}
	attr := sys.LinkCreateRelativeAttr{
		ProgFD:           program.Attr(),
		TargetFD:         c.Dir.Attr(),
		AttachType:       c.AttachType,
		ExpectedRevision: c.ExpectedRevision,
	}
	if err := c.Order.apply(&attr); err != nil {
		return nil, err
	}
	return newLink(sys.LinkCreateRelative(&attr))
}

// At implements [Placed]: the id of a cgroup is the inode number of its directory.
func (c Cgroup) At(info *Info) bool {
	return info.Type == sys.LinkTypeCgroup && info.AttachType == c.AttachType && info.CgroupID == inode(c.Dir)
}

func (c Cgroup) advice(err error) string {
	switch errno, _ := err.(unix.Errno); errno {
	case unix.EBADF:
		return "Dir is no directory of a cgroup2 hierarchy: open it with OpenCgroup"
	case unix.EPERM:
		return "needs CAP_BPF and CAP_NET_ADMIN; or a program attached here or further up does not allow others beside it"
	}
	if do := c.Order.advice(err); do != "" {
		return do
	}
	return advise(err, "5.7", "CAP_NET_ADMIN")
}

// OpenCgroup opens a cgroup's directory by its path, below the mount point of a cgroup2 file system. It is [ErrNotCgroup2] elsewhere: in the
// per-controller hierarchies of version 1, for one, to which no program can be attached.
func OpenCgroup(path string) (*sys.FD, error) {
	dir, err := openCgroup(path)
	switch {
	case err == ErrNotCgroup2:
		return nil, sys.Fail("open cgroup", path, err, "give a path below the mount of type cgroup2 in /proc/self/mountinfo")
	case err != nil:
		return nil, sys.Fail("open cgroup", path, err, "")
	}
	return dir, nil
}

func openCgroup(path string) (*sys.FD, error) {
	raw, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	dir, err := sys.NewFD(raw)
	if err != nil {
		return nil, err
	}
	var st unix.Statfs_t
	err = unix.Fstatfs(dir.Int(), &st)
	if err == nil && uint32(st.Type) != unix.CGROUP2_SUPER_MAGIC {
		err = ErrNotCgroup2
	}
	if err != nil {
		dir.Close()
		return nil, err
	}
	return dir, nil
}
