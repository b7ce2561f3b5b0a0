package link_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

// kind is one way to attach, with what must be true of its links.
type kind struct {
	name      string
	version   string // of the first kernel that makes a link
	target    func(t *testing.T) (link.Attacher, program)
	info      link.Info // what is the same in every run
	canUpdate bool
	canDetach bool
}

var kinds = []kind{{
	name: "cgroup", version: "5.10", canUpdate: true, canDetach: true,
	target: func(t *testing.T) (link.Attacher, program) {
		_, dir := newCgroup(t)
		return link.Cgroup{Dir: dir, AttachType: sys.AttachTypeCgroupInetSockCreate}, allowSocket
	},
	info: link.Info{Type: sys.LinkTypeCgroup, AttachType: sys.AttachTypeCgroupInetSockCreate},
}, {
	name: "xdp", version: "5.10", canUpdate: true, canDetach: true,
	target: func(t *testing.T) (link.Attacher, program) {
		return link.XDP{Ifindex: enterNetns(t), Mode: link.XDPGeneric}, passXDP
	},
	info: link.Info{Type: sys.LinkTypeXDP, AttachType: sys.AttachTypeXDP, Ifindex: 1},
}, {
	name: "tcx", version: "6.6", canUpdate: true, canDetach: true,
	target: func(t *testing.T) (link.Attacher, program) {
		return link.TCX{Ifindex: enterNetns(t), AttachType: sys.AttachTypeTCXEgress}, passTC
	},
	info: link.Info{Type: sys.LinkTypeTCX, AttachType: sys.AttachTypeTCXEgress, Ifindex: 1},
}, {
	name: "netns", version: "5.10", canUpdate: true, canDetach: true,
	target: func(t *testing.T) (link.Attacher, program) { return inNetns(t), passLookup },
	info:   link.Info{Type: sys.LinkTypeNetns, AttachType: sys.AttachTypeSKLookup},
}, {
	name: "iterator", version: "5.10", canUpdate: true,
	target: func(t *testing.T) (link.Attacher, program) { return link.Iter{}, iterator(t, "bpf_map") },
	info:   link.Info{Type: sys.LinkTypeIter, AttachType: sys.AttachTypeTraceIter, Name: "bpf_map"},
}, {
	name: "raw tracepoint", version: "5.10",
	target: func(t *testing.T) (link.Attacher, program) { return link.RawTracepoint{Name: "sys_enter"}, rawTP },
	info:   link.Info{Type: sys.LinkTypeRawTracepoint, Name: "sys_enter"},
}, {
	name: "tracing", version: "5.10",
	target: func(t *testing.T) (link.Attacher, program) { return link.Tracing{}, onEnter(t, returns(0)) },
	info:   link.Info{Type: sys.LinkTypeRawTracepoint, Name: "sys_enter"},
}, {
	name: "tracepoint", version: "6.6", // links are there from 5.15, their names from 6.6
	target: func(t *testing.T) (link.Attacher, program) {
		testenv.Tracefs(t)
		return link.Tracepoint{Group: "sched", Name: "sched_switch"}, onTP
	},
	info: link.Info{Type: sys.LinkTypePerfEvent, AttachType: sys.AttachTypePerfEvent, Name: "sched_switch"},
}, {
	name: "perf event", version: "5.15",
	target: func(t *testing.T) (link.Attacher, program) { return link.PerfEvent{FD: clock(t)}, onEvent },
	info:   link.Info{Type: sys.LinkTypePerfEvent, AttachType: sys.AttachTypePerfEvent},
}}

// each runs a test for every kind of attachment.
func each(t *testing.T, test func(t *testing.T, k kind, how link.Attacher, p program)) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			testenv.Kernel(t, k.version, k.name+" links")
			how, p := k.target(t)
			test(t, k, how, p)
		})
	}
}

func TestInfo(t *testing.T) {
	each(t, func(t *testing.T, k kind, how link.Attacher, p program) {
		program := p.load(t)
		l := attach(t, how, program)
		got, err := l.Info()
		check(t, err)
		want := k.info
		want.ID, want.ProgramID, want.Attached = l.ID(), programID(t, program), true
		if want.Type == sys.LinkTypeCgroup {
			want.CgroupID = inode(t, how.(link.Cgroup).Dir)
		}
		if want.Type == sys.LinkTypeNetns {
			want.NetnsIno = uint32(inode(t, how.(link.Netns).FD))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		checkState(t, l, &got)
		if l.ID() == 0 || l.Type() != k.info.Type || !l.Pinnable() {
			t.Errorf("id %d, type %v, pinnable %v", l.ID(), l.Type(), l.Pinnable())
		}
	})
}

// checkState compares what State tells with what Info does.
func checkState(t testing.TB, l *link.Link, info *link.Info) {
	t.Helper()
	runs, attached, err := l.State()
	check(t, err)
	if runs != info.ProgramID || attached != info.Attached {
		t.Errorf("state: program %d, attached %t; info: %d, %t", runs, attached, info.ProgramID, info.Attached)
	}
}

func inode(t *testing.T, fd *sys.FD) uint64 {
	var st unix.Stat_t
	check(t, unix.Fstat(fd.Int(), &st))
	return st.Ino
}

func TestFromFD(t *testing.T) {
	each(t, func(t *testing.T, _ kind, how link.Attacher, p program) {
		l := attach(t, how, p.load(t))
		want, err := l.Info()
		check(t, err)
		second, err := l.FD().Dup()
		check(t, err)
		again, err := link.FromFD(second)
		check(t, err)
		defer again.Close()
		got, err := again.Info()
		check(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if again.ID() != l.ID() || again.CanUpdate() != l.CanUpdate() || again.CanDetach() != l.CanDetach() {
			t.Errorf("%v is not %v", again, l)
		}
	})
}

func TestUpdate(t *testing.T) {
	each(t, func(t *testing.T, k kind, how link.Attacher, p program) {
		first, second := p.load(t), p.load(t)
		l := attach(t, how, first)
		if l.CanUpdate() != k.canUpdate {
			t.Errorf("CanUpdate() = %v", l.CanUpdate())
		}
		if !k.canUpdate {
			wantError(t, l.Update(second, nil), link.ErrNoUpdate)
			wantError(t, l.Update(second, first), link.ErrNoUpdate)
			wantProgram(t, l, first)
			return
		}
		check(t, l.Update(second, first))
		wantProgram(t, l, second)
		wantError(t, l.Update(first, first), link.ErrChanged, unix.EPERM)
		wantProgram(t, l, second)
		check(t, l.Update(first, nil))
		wantProgram(t, l, first)
	})
}

// TestUpdateWithOther gives a link a program of another type, which every kind refuses.
func TestUpdateWithOther(t *testing.T) {
	each(t, func(t *testing.T, k kind, how link.Attacher, p program) {
		first := p.load(t)
		l := attach(t, how, first)
		other := program{kind: sys.ProgTypeSocketFilter, code: returns(0)}.load(t)
		err := l.Update(other, nil)
		wantError(t, err)
		if errors.Is(err, link.ErrNoUpdate) == k.canUpdate {
			t.Errorf("%v, though CanUpdate() = %v", err, k.canUpdate)
		}
		wantProgram(t, l, first)
	})
}

func TestDetach(t *testing.T) {
	each(t, func(t *testing.T, k kind, how link.Attacher, p program) {
		first, second := p.load(t), p.load(t)
		l := attach(t, how, first)
		if l.CanDetach() != k.canDetach {
			t.Errorf("CanDetach() = %v", l.CanDetach())
		}
		if !k.canDetach {
			wantError(t, l.Detach(), link.ErrNoDetach, unix.EOPNOTSUPP)
			wantAttached(t, l, true)
			return
		}
		check(t, l.Detach())
		wantAttached(t, l, false)
		wantError(t, l.Update(second, nil), link.ErrDefunct, unix.ENOLINK)
		check(t, l.Detach())
	})
}

func TestClosed(t *testing.T) {
	each(t, func(t *testing.T, _ kind, how link.Attacher, p program) {
		program := p.load(t)
		l := attach(t, how, program)
		id := l.ID()
		check(t, l.Close())
		check(t, l.Close())
		_, infoErr := l.Info()
		_, iterErr := link.OpenIter(l)
		for _, err := range []error{infoErr, iterErr, l.Detach(), l.Update(program, nil)} {
			wantError(t, err, sys.ErrClosed)
		}
		if l.ID() != id || l.FD().Int() != -1 {
			t.Errorf("id %d and descriptor %d after Close, want %d and -1", l.ID(), l.FD().Int(), id)
		}
		check(t, program.Close())
		_, err := how.Attach(program)
		wantError(t, err, sys.ErrClosed)
		_, err = how.Attach(nil)
		wantError(t, err, sys.ErrClosed)
	})
}

func TestUpdateWithClosed(t *testing.T) {
	program := rawTP.load(t)
	l := attach(t, link.RawTracepoint{Name: "sys_enter"}, program)
	wantError(t, l.Update(nil, nil), sys.ErrClosed)
	wantError(t, l.Update(program, new(sys.FD)), sys.ErrClosed)
}

// TestAttachWrongProgram attaches what no kind takes.
func TestAttachWrongProgram(t *testing.T) {
	each(t, func(t *testing.T, _ kind, how link.Attacher, _ program) {
		other := program{kind: sys.ProgTypeSocketFilter, code: returns(0)}.load(t)
		l, err := how.Attach(other)
		if err == nil {
			l.Close()
		}
		wantError(t, err, unix.EINVAL)
		_, err = how.Attach(newCounter(t))
		wantError(t, err)
	})
}

// wantError checks that err is there, and is a [sys.Error] that wraps all of targets.
func wantError(t testing.TB, err error, targets ...error) {
	t.Helper()
	var detail *sys.Error
	if !errors.As(err, &detail) {
		t.Errorf("error %v, want a *sys.Error", err)
	}
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Errorf("error %q does not wrap %q", err, target)
		}
	}
}

func wantProgram(t testing.TB, l *link.Link, program *sys.FD) {
	t.Helper()
	info, err := l.Info()
	check(t, err)
	if want := programID(t, program); info.ProgramID != want {
		t.Errorf("the link runs program %d, want %d", info.ProgramID, want)
	}
}

func wantAttached(t testing.TB, l *link.Link, want bool) {
	t.Helper()
	info, err := l.Info()
	check(t, err)
	checkState(t, l, &info)
	if info.Attached != want {
		t.Errorf("Attached = %v, want %v: %+v", info.Attached, want, info)
	}
}
