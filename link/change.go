package link

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// CanUpdate tells whether [Link.Update] works for this kind of link: as bpf_link_ops.update_prog and update_map in the kernel's sources up to Linux 7.0.
func (l *Link) CanUpdate() bool {
	switch l.kind {
	case sys.LinkTypeCgroup, sys.LinkTypeIter, sys.LinkTypeNetns, sys.LinkTypeXDP, sys.LinkTypeStructOps, sys.LinkTypeTCX,
		sys.LinkTypeNetkit, sys.LinkTypeSockmap:
		return true
	}
	return false
}

// CanDetach tells whether [Link.Detach] works for this kind of link: as bpf_link_ops.detach in the kernel's sources up to Linux 7.0. The
// kind struct_ops can from Linux 6.10.
func (l *Link) CanDetach() bool {
	return l.CanUpdate() && l.kind != sys.LinkTypeIter || l.kind == sys.LinkTypeNetfilter
}

// Update makes the link run another program, without a moment in between that has none. The new program must be of the old
// one's type and expected attach type. If old is not nil, the update is done only if old is what the link runs. For a struct_ops
// link both are maps.
//
// Errors: [ErrChanged] if old is not what runs, and EPERM if it is or nobody can tell; [ErrNoUpdate] for a kind that cannot; [ErrDefunct] if the link is attached to nothing;
// [sys.ErrClosed] if link or program is.
func (l *Link) Update(program, old *sys.FD) error {
	if l.closed() || anyClosed(program) || old != nil && anyClosed(old) {
		return l.fail("update", sys.ErrClosed, "")
	}
	if !l.Pinnable() {
		return l.fail("update", ErrNoUpdate, attachNewDo)
	}
	attr := sys.LinkUpdateAttr{LinkFD: l.fd.Attr(), NewProgFD: program.Attr()}
	if old != nil {
		attr.Flags, attr.OldProgFD = unix.BPF_F_REPLACE, old.Attr()
	}
	if err := sys.LinkUpdate(&attr); err != nil {
		return l.updateError(err, old)
	}
	return nil
}

const attachNewDo = "attach the new program with a link of its own, then close this one"

func (l *Link) updateError(err error, old *sys.FD) error {
	switch {
	case err == unix.EPERM && old != nil && !l.mayRun(old):
		return l.fail("update", reason(ErrChanged, err), "look at the link's program id and decide again")
	case err == unix.ENOLINK:
		return l.fail("update", reason(ErrDefunct, err), "attach anew and drop this link")
	case err == unix.EOPNOTSUPP, err == unix.EINVAL && !l.CanUpdate():
		return l.fail("update", reason(ErrNoUpdate, err), attachNewDo)
	case err == unix.EINVAL:
		return l.fail("update", err, "the new program's type and expected attach type must be the old one's")
	}
	return l.fail("update", err, "")
}

// mayRun tells whether that may be what the link runs: EPERM may as well be that of a missing capability, or of a security module. The kernel tells it of
// programs alone.
func (l *Link) mayRun(old *sys.FD) bool {
	kind, id, err := sys.KindOf(old)
	if err != nil {
		return true
	}
	now, _, err := l.State()
	return err != nil || kind == sys.KindProgram && id == now
}

// Detach ends the attachment at once, though descriptors and pins of the link remain: when it returns, the program is no longer run by the
// hook. What remains says in its [Info] that it is not attached. Detaching once more does nothing. [ErrNoDetach] for a kind that
// cannot, see [Link.CanDetach].
func (l *Link) Detach() error {
	if l.closed() {
		return l.fail("detach", sys.ErrClosed, "")
	}
	if !l.Pinnable() {
		return l.fail("detach", ErrNoDetach, dropDo)
	}
	err := sys.LinkDetach(&sys.LinkDetachAttr{LinkFD: l.fd.Attr()})
	switch err {
	case nil:
		return nil
	case unix.EOPNOTSUPP:
		return l.fail("detach", reason(ErrNoDetach, err), dropDo)
	}
	return l.fail("detach", err, "")
}

const dropDo = "remove its pins and close it"
