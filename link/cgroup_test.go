package link_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

const sockCreate = sys.AttachTypeCgroupInetSockCreate

// TestCgroupRuns sees every state of a link by what a process in the cgroup may do.
func TestCgroupRuns(t *testing.T) {
	_, dir := newCgroup(t)
	counter := newCounter(t)
	counting := program{kind: sys.ProgTypeCgroupSock, attach: sockCreate, code: counts(counter, 1)}.load(t)
	deny := denySocket.load(t)
	wantChild := func(when string, want int) {
		t.Helper()
		if got := childIn(t, dir); got != want {
			t.Errorf("%s: exit status %d, want %d", when, got, want)
		}
	}

	l := attach(t, link.Cgroup{Dir: dir, AttachType: sockCreate}, counting)
	wantChild("attached", childDone)
	if n := count(t, counter); n != 1 {
		t.Errorf("the program ran %d times, want once", n)
	}
	check(t, l.Update(deny, counting))
	wantChild("updated", childDenied)
	wantError(t, l.Update(deny, counting), link.ErrChanged)
	check(t, l.Detach())
	wantChild("detached", childDone)
}

// TestCgroupRemoved waits for the kernel to see that a cgroup is gone.
func TestCgroupRemoved(t *testing.T) {
	parent, _ := newCgroup(t)
	path := parent + "/child"
	check(t, unix.Mkdir(path, 0o755))
	dir, err := link.OpenCgroup(path)
	check(t, err)
	allow := allowSocket.load(t)
	l := attach(t, link.Cgroup{Dir: dir, AttachType: sockCreate}, allow)
	check(t, dir.Close())
	check(t, unix.Rmdir(path))
	waitUntil(t, "the link to be defunct", func() bool {
		info, err := l.Info()
		check(t, err)
		return !info.Attached
	})
	wantError(t, l.Update(allow, nil), link.ErrDefunct)
}

func TestCgroupOrder(t *testing.T) {
	testenv.Kernel(t, "6.17", "ordered cgroup links")
	_, dir := newCgroup(t)
	at := func(order link.Order) (*link.Link, uint32) {
		program := allowSocket.load(t)
		return attach(t, link.Cgroup{Dir: dir, AttachType: sockCreate, Order: order}, program), programID(t, program)
	}
	checkOrder(t, at, func() link.Attachments {
		found, err := link.QueryCgroup(dir, sockCreate)
		check(t, err)
		return found
	})
}

// attachBare attaches a program without a link and gives its id.
func attachBare(t *testing.T, at sys.ProgAttachAttr, p program) uint32 {
	t.Helper()
	program := p.load(t)
	at.AttachBPFFD = program.Attr()
	check(t, sys.ProgAttach(&at))
	t.Cleanup(func() {
		at.AttachFlags = 0
		check(t, sys.ProgDetach(&at))
	})
	return programID(t, program)
}

// checkOrder attaches programs in every order that all ordered hooks have, and compares with what the kernel says.
func checkOrder(t *testing.T, at func(link.Order) (*link.Link, uint32), query func() link.Attachments) {
	t.Helper()
	middle, two := at(link.Order{})
	_, three := at(link.Order{})
	_, zero := at(link.First())
	_, before := at(link.Before(middle))
	_, after := at(link.After(middle))
	wantPrograms(t, query(), zero, before, two, after, three)
}

// wantPrograms checks the programs at a hook by their ids.
func wantPrograms(t *testing.T, found link.Attachments, want ...uint32) {
	t.Helper()
	var got []uint32
	for _, program := range found.Programs {
		got = append(got, program.ProgramID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCgroupRevision(t *testing.T) {
	testenv.Kernel(t, "6.17", "revisions of cgroups")
	_, dir := newCgroup(t)
	found, err := link.QueryCgroup(dir, sockCreate)
	check(t, err)
	how := link.Cgroup{Dir: dir, AttachType: sockCreate, ExpectedRevision: found.Revision}
	attach(t, how, allowSocket.load(t))
	_, err = how.Attach(allowSocket.load(t))
	wantError(t, err, unix.ESTALE)
	wantAdvice(t, err, "query it again")
}

func TestCgroupErrors(t *testing.T) {
	_, dir := newCgroup(t)
	allow := allowSocket.load(t)
	gone := attach(t, link.Cgroup{Dir: dir, AttachType: sockCreate}, allow)
	check(t, gone.Close())
	for _, test := range []struct {
		name   string
		how    link.Cgroup
		want   error
		advice string
	}{
		{"no directory", link.Cgroup{AttachType: sockCreate}, sys.ErrClosed, "attach to cgroup cgroup_inet_sock_create: "},
		{"other directory", link.Cgroup{Dir: openFile(t, "/"), AttachType: sockCreate}, unix.EBADF, "OpenCgroup"},
		{"other attach type", link.Cgroup{Dir: dir, AttachType: sys.AttachTypeCgroupDevice}, unix.EINVAL, "attach type does not fit"},
		{"ordered by a program", link.Cgroup{Dir: dir, AttachType: sockCreate, Order: link.AfterProgram(1)}, unix.EINVAL, "to be ordered by is not"},
		{"closed neighbour", link.Cgroup{Dir: dir, AttachType: sockCreate, Order: link.Before(gone)}, sys.ErrClosed, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.how.Attach(allow)
			wantError(t, err, test.want)
			wantAdvice(t, err, test.advice)
		})
	}
}

// TestCgroupExclusive attaches below a cgroup whose program allows no other.
func TestCgroupExclusive(t *testing.T) {
	_, dir := newCgroup(t)
	allow := allowSocket.load(t)
	attachBare(t, sys.ProgAttachAttr{TargetFD: dir.Attr(), AttachType: sockCreate}, allowSocket)
	_, err := link.Cgroup{Dir: dir, AttachType: sockCreate}.Attach(allow)
	wantError(t, err, unix.EPERM)
	wantAdvice(t, err, "does not allow others")
}

func TestQueryCgroup(t *testing.T) {
	_, dir := newCgroup(t)
	// More than the first buffer of a query holds.
	var want link.Attachments
	for range 40 {
		program := allowSocket.load(t)
		attach(t, link.Cgroup{Dir: dir, AttachType: sockCreate}, program)
		want.Programs = append(want.Programs, link.Attachment{ProgramID: programID(t, program)})
	}
	want.Flags = unix.BPF_F_ALLOW_MULTI
	got, err := link.QueryCgroup(dir, sockCreate)
	check(t, err)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(link.Attachments{}, "Revision")); diff != "" {
		t.Error(diff)
	}
	got, err = link.QueryCgroup(dir, sys.AttachTypeCgroupDevice)
	if err != nil || len(got.Programs) != 0 {
		t.Errorf("another hook has %v, %v", got.Programs, err)
	}
	_, err = link.QueryCgroup(nil, sockCreate)
	wantError(t, err, sys.ErrClosed)
	_, err = link.QueryCgroup(openFile(t, "/"), sockCreate)
	wantError(t, err, unix.EBADF)
}

func TestOpenCgroup(t *testing.T) {
	path, _ := newCgroup(t)
	check(t, unix.Mkdir(path+"/below", 0o755))
	t.Cleanup(func() { check(t, unix.Rmdir(path+"/below")) })
	for _, test := range []struct {
		path string
		want error
	}{
		{path + "/below", nil},
		{path + "/cgroup.procs", unix.ENOTDIR},
		{path + "/none", unix.ENOENT},
		{t.TempDir(), link.ErrNotCgroup2},
		{path + "\x00", unix.EINVAL},
	} {
		dir, err := link.OpenCgroup(test.path)
		check(t, dir.Close())
		if test.want == nil {
			check(t, err)
			continue
		}
		wantError(t, err, test.want)
	}
}
