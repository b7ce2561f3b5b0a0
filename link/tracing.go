package link

import (
	"github.com/pinion-bpf/pinion/sys"
)

// Tracing attaches a program to what it was loaded for, by its BTF: programs of the type tracing (attach types trace_fentry, trace_fexit, modify_return and
// trace_raw_tp) and LSM programs. A second link of the same program answers EBUSY, except at trace_raw_tp.
type Tracing struct {
	// Cookie, if not 0, is what bpf_get_attach_cookie gives the program: Linux 6.0 for functions, 6.10 for trace_raw_tp.
	Cookie uint64
	// AttachType is what the program was loaded for. Only a cookie needs it.
	AttachType sys.AttachType
}

// Attach makes a tracing link; for trace_raw_tp, a raw tracepoint link. It needs CAP_BPF and CAP_PERFMON.
func (t Tracing) Attach(program *sys.FD) (*Link, error) {
	l, err := t.create(program)
	if err != nil {
		return nil, sys.Fail("attach tracing program", "", err, advise(err, "5.5, for a cookie 6.0", "CAP_PERFMON"))
	}
	return l, nil
}

func (t Tracing) create(program *sys.FD) (*Link, error) {
	if anyClosed(program) {
		return nil, sys.ErrClosed
	}
	if t.Cookie == 0 {
		// BPF_LINK_CREATE takes these programs from Linux 5.19 only, this takes them always.
		return newLink(sys.RawTracepointOpen(&sys.RawTracepointOpenAttr{ProgFD: program.Attr()}))
	}
	return newLink(sys.LinkCreateTracing(&sys.LinkCreateTracingAttr{
		ProgFD:     program.Attr(),
		AttachType: t.AttachType,
		Cookie:     t.Cookie,
	}))
}
