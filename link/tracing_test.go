package link_test

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

// onEnter is a tracing program on the tracepoint sys_enter, the one kind of tracing that every kernel of the suite can do.
func onEnter(t testing.TB, code []byte) program {
	t.Helper()
	kind := kernelType(t, btf.KindTypedef, "btf_trace_sys_enter")
	return program{kind: sys.ProgTypeTracing, attach: sys.AttachTypeTraceRawTP, btfID: kind, code: code}
}

func TestTracingRuns(t *testing.T) {
	counter := newCounter(t)
	attach(t, link.Tracing{}, onEnter(t, counts(counter, 0)).load(t))
	waitForCall(t, counter)
}

func TestTracingCookie(t *testing.T) {
	testenv.Kernel(t, "6.10", "cookies of trace_raw_tp")
	how := link.Tracing{Cookie: 1 << 40, AttachType: sys.AttachTypeTraceRawTP}
	stored := newCounter(t)
	attach(t, how, onEnter(t, storesCookie(stored)).load(t))
	waitUntil(t, "the cookie to be stored", func() bool {
		unix.Getppid()
		return count(t, stored) == how.Cookie
	})
	_, err := link.Tracing{Cookie: 1, AttachType: sys.AttachTypeTraceFentry}.Attach(onEnter(t, returns(0)).load(t))
	wantError(t, err, unix.EINVAL)
}

// TestFentryRuns attaches to a function of the kernel that reading a file calls.
func TestFentryRuns(t *testing.T) {
	counter := newCounter(t)
	p := program{kind: sys.ProgTypeTracing, attach: sys.AttachTypeTraceFentry, btfID: kernelType(t, btf.KindFunc, "vfs_read"), code: counts(counter, 0)}
	loaded, err := p.open()
	testenv.Allowed(t, err, "a program at the entry of a kernel function")
	t.Cleanup(func() { check(t, loaded.Close()) })
	l := attach(t, link.Tracing{}, loaded)
	file, err := os.Open("/dev/zero")
	check(t, err)
	defer file.Close()
	before := count(t, counter)
	_, err = file.Read(make([]byte, 1))
	check(t, err)
	if after := count(t, counter); after <= before {
		t.Errorf("%d runs before a read, %d after it", before, after)
	}
	info, err := l.Info()
	check(t, err)
	if info.Type != sys.LinkTypeTracing || info.AttachType != sys.AttachTypeTraceFentry {
		t.Errorf("info %+v", info)
	}
	wantError(t, l.Detach(), link.ErrNoDetach)
}

// TestLSMAttaches attaches to a security hook. Whether it runs depends on the kernel's command line (lsm=).
func TestLSMAttaches(t *testing.T) {
	p := program{kind: sys.ProgTypeLSM, attach: sys.AttachTypeLSMMac, btfID: kernelType(t, btf.KindFunc, "bpf_lsm_file_open"), code: returns(0)}
	loaded, err := p.open()
	testenv.Allowed(t, err, "a program at a security hook")
	t.Cleanup(func() { check(t, loaded.Close()) })
	l := attach(t, link.Tracing{AttachType: sys.AttachTypeLSMMac}, loaded)
	info, err := l.Info()
	check(t, err)
	if info.Type != sys.LinkTypeTracing || info.AttachType != sys.AttachTypeLSMMac || info.ProgramID != programID(t, loaded) {
		t.Errorf("info %+v", info)
	}
}
