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

func TestTCXRuns(t *testing.T) {
	testenv.Kernel(t, "6.6", "TCX links")
	for _, at := range []sys.AttachType{sys.AttachTypeTCXIngress, sys.AttachTypeTCXEgress} {
		t.Run(at.String(), func(t *testing.T) {
			lo, counter := enterNetns(t), newCounter(t)
			const next = -1
			counting := program{kind: sys.ProgTypeSchedCls, code: counts(counter, next)}.load(t)
			first := attach(t, link.TCX{Ifindex: lo, AttachType: at}, counting)
			attach(t, link.TCX{Ifindex: lo, AttachType: at}, program{kind: sys.ProgTypeSchedCls, code: counts(counter, next)}.load(t))
			sendLocal(t)
			if n := count(t, counter); n != 2 {
				t.Errorf("two programs saw %d packets, want 2", n)
			}
			check(t, first.Detach())
			sendLocal(t)
			if n := count(t, counter); n != 3 {
				t.Errorf("one program saw %d packets, want 1", n-2)
			}
		})
	}
}

func TestTCXOrder(t *testing.T) {
	testenv.Kernel(t, "6.6", "TCX links")
	lo := enterNetns(t)
	const hook = sys.AttachTypeTCXIngress
	at := func(order link.Order) (*link.Link, uint32) {
		program := passTC.load(t)
		return attach(t, link.TCX{Ifindex: lo, AttachType: hook, Order: order}, program), programID(t, program)
	}
	query := func() link.Attachments {
		found, err := link.QueryTCX(lo, hook)
		check(t, err)
		return found
	}
	checkOrder(t, at, query)

	first := query().Programs[0].ProgramID
	bare := attachBare(t, sys.ProgAttachAttr{TargetFD: uint32(lo), AttachType: hook}, passTC)
	_, before := at(link.BeforeProgram(first))
	_, after := at(link.AfterProgram(bare))
	got := query().Programs
	if n := len(got); n != 8 || got[0].ProgramID != before || got[1].ProgramID != first || got[n-2].ProgramID != bare || got[n-1].ProgramID != after {
		t.Errorf("%v, want %d, %d, …, %d, %d", got, before, first, bare, after)
	}
}

func TestQueryTCX(t *testing.T) {
	testenv.Kernel(t, "6.6", "TCX links")
	lo := enterNetns(t)
	query := func() link.Attachments {
		t.Helper()
		found, err := link.QueryTCX(lo, sys.AttachTypeTCXEgress)
		check(t, err)
		return found
	}
	if found := query(); len(found.Programs) != 0 {
		t.Errorf("%v before anything was attached", found.Programs)
	}
	var want link.Attachments
	for range 20 { // more than the first buffer of a query holds
		program := passTC.load(t)
		l := attach(t, link.TCX{Ifindex: lo, AttachType: sys.AttachTypeTCXEgress}, program)
		want.Programs = append(want.Programs, link.Attachment{ProgramID: programID(t, program), LinkID: l.ID()})
	}
	found := query()
	if diff := cmp.Diff(want, found, cmpopts.IgnoreFields(link.Attachments{}, "Revision")); diff != "" {
		t.Error(diff)
	}
	if found.Revision == 0 {
		t.Error("no revision")
	}
}

func TestTCXErrors(t *testing.T) {
	testenv.Kernel(t, "6.6", "TCX links")
	lo, pass := enterNetns(t), passTC.load(t)
	ingress, egress := sys.AttachTypeTCXIngress, sys.AttachTypeTCXEgress
	there := attach(t, link.TCX{Ifindex: lo, AttachType: ingress}, pass)
	closed := attach(t, link.TCX{Ifindex: lo, AttachType: ingress}, passTC.load(t))
	check(t, closed.Close())
	found, err := link.QueryTCX(lo, ingress)
	check(t, err)
	for _, test := range []struct {
		how    link.TCX
		want   error
		advice string
	}{
		{link.TCX{Ifindex: 4711, AttachType: ingress}, unix.ENODEV, "attach to tcx_ingress interface 4711"},
		{link.TCX{Ifindex: lo, AttachType: sys.AttachTypeXDP}, unix.EINVAL, "the kind needs Linux 6.6"},
		{link.TCX{Ifindex: lo, AttachType: egress, Order: link.After(there)}, unix.ENOENT, "is not at this hook"},
		{link.TCX{Ifindex: lo, AttachType: ingress, Order: link.After(closed)}, sys.ErrClosed, ""},
		{link.TCX{Ifindex: lo, AttachType: ingress, ExpectedRevision: found.Revision + 1}, unix.ESTALE, "query it again"},
	} { // no subtests: they would run in another thread, and so in another namespace
		_, err := test.how.Attach(pass)
		wantError(t, err, test.want)
		wantAdvice(t, err, test.advice)
	}
	_, err = link.QueryTCX(4711, ingress)
	wantError(t, err, unix.ENODEV)
}
