package object

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

// ErrAttached says that the object has a link of that program to that target already.
var ErrAttached = errors.New("object: the program is attached already")

// Attach attaches every loaded program that has Autoattach set and whose section says where to, as libbpf's skeletons do. The links are the
// object's, with "" as target. Programs that have a link are left alone, and so are those whose sections do not say where to
// (cgroups, network interfaces, …): attach those with [Object.AttachTo].
//
// If a program cannot be attached, those that this call attached are detached again. The error wraps [ErrUnsupported] for ways to attach that
// this package does not have (kprobes, uprobes, USDT), for an object that was not loaded by this process, and whatever package link
// answers.
func (o *Object) Attach() error {
	if o.spec == nil {
		return sys.Fail("attach object", text.Quote(o.name), unsupported("it was not loaded from a Spec, so nothing tells where its programs belong"), "use AttachTo")
	}
	o.ForgetClosed()
	before := len(o.links)
	for _, p := range o.programs {
		if err := o.attachProgram(p); err != nil {
			o.dropLinks(before)
			return err
		}
	}
	return nil
}

// AttachTo attaches one program and makes the link the object's. The target tells the links of one program apart, as the name of an
// interface would; "" is for a program that is attached once.
//
// A link that was carried over from a former build (see [Object.CarryLink]) and is attached to the same is given instead of a new one.
//
// The error wraps [ErrAttached] if there is a link of that name, ENOENT if no such program was loaded, or is that of how.
func (o *Object) AttachTo(program, target string, how link.Attacher) (*Link, error) {
	fail := func(err error, do string) (*Link, error) {
		thing := text.Quote(program)
		if target != "" {
			thing += text.Form(" to {}").Quote(target).String()
		}
		return nil, sys.Fail("attach program", thing, err, do)
	}
	p := o.Program(program)
	if p == nil {
		return fail(unix.ENOENT, "the object has no such program, or it was not loaded")
	}
	o.ForgetClosed()
	if how == nil {
		return fail(unix.EINVAL, "nothing says how")
	}
	if there := o.Link(program, target); there != nil {
		kept, err := o.takeCarried(there, how)
		if err != nil {
			return fail(err, "close the link, or give this one another target")
		}
		if kept {
			return there, nil
		}
	}
	l, err := how.Attach(p.fd)
	if err != nil {
		return fail(err, "")
	}
	made := NewLink(program, target, l)
	o.AddLink(made)
	return made, nil
}

// takeCarried tells whether a link that the object has is the one that is asked for: one that was carried over and is attached there. One that is
// attached somewhere else is closed, and so makes room.
func (o *Object) takeCarried(l *Link, how link.Attacher) (bool, error) {
	if !l.carried {
		return false, ErrAttached
	}
	l.carried = false
	placed, can := how.(link.Placed)
	if !can {
		return true, nil
	}
	info, err := l.Info()
	if err != nil || placed.At(&info) && info.Attached {
		return err == nil, err
	}
	if err := l.Close(); err != nil {
		return false, err
	}
	o.ForgetClosed()
	return false, nil
}

// ForgetClosed takes out the links that their user has closed.
func (o *Object) ForgetClosed() {
	var open []*Link
	for _, l := range o.links {
		if l.FD().Int() >= 0 {
			open = append(open, l)
		}
	}
	o.links = open
}

// dropLinks closes the links from one on.
func (o *Object) dropLinks(first int) {
	for i, l := range o.links[first:] {
		l.Close()
		o.links[first+i] = nil
	}
	o.links = o.links[:first]
}

// attachProgram attaches a program to what its section says.
func (o *Object) attachProgram(p *Program) error {
	spec := o.spec.Program(p.name)
	if spec == nil || !spec.Autoattach || o.isAttached(p.name) {
		return nil
	}
	how, err := spec.attacher()
	if err != nil {
		return sys.Fail("attach program", text.Quote(p.name), err, "")
	}
	if how == nil {
		return nil
	}
	_, err = o.AttachTo(p.name, "", how)
	return err
}

func (o *Object) isAttached(program string) bool {
	for _, l := range o.links {
		if l.program == program {
			return true
		}
	}
	return false
}

// attacher returns how a program is to be attached, nil if its section does not tell.
func (p *ProgramSpec) attacher() (link.Attacher, error) {
	if p.row == nil || p.row.attach == attachNone || p.AttachTo == "" {
		return nil, nil
	}
	switch p.row.attach {
	case attachRawTracepoint:
		return link.RawTracepoint{Name: p.AttachTo}, nil
	case attachTracepoint:
		group, name, found := text.Cut(p.AttachTo, '/')
		if !found {
			return nil, badSpec(text.Form(`section {} has no category and name of a tracepoint, as in "tp/sched/sched_switch"`).
				Quote(p.Section).String())
		}
		return link.Tracepoint{Group: group, Name: name}, nil
	case attachTracing, attachLSM:
		return link.Tracing{AttachType: p.AttachType}, nil
	case attachIter:
		return link.Iter{}, nil
	}
	return nil, unsupported(text.Form("programs of section {} cannot be attached by their section ({}); use AttachTo").
		Quote(p.Section).Add(p.row.attach.String()).String())
}

// String gives libbpf's names.
func (w attachWay) String() string {
	return [...]string{
		"none", "kprobe", "uprobe", "kprobe_multi", "kprobe_session", "uprobe_multi", "ksyscall", "usdt", "tp", "raw_tp", "trace", "lsm",
		"iter", "tracing_multi",
	}[w]
}
