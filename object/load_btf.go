package object

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/sys"
)

// loadBTF gives the kernel the object's types: once, for all its maps and programs.
func (l *loader) loadBTF() error {
	types, err := l.spec.kernelBTF(l.ksyms)
	if err != nil || types == nil {
		return err
	}
	l.btf, err = l.tryBTF(types)
	if err == unix.EINVAL || err == unix.E2BIG {
		if known, lacks := knownTypes(types); lacks != 0 {
			types = known
			l.btf, err = l.tryBTF(types)
		}
	}
	if err == nil {
		return nil
	}
	var log string
	attr := l.btfLoadAttr(types.Raw())
	l.btf, log, _ = withLog(func(log []byte) (*sys.FD, uint32, error) {
		attr.BTFLogBuf, attr.BTFLogSize, attr.BTFLogLevel = sys.Slice(log), uint32(len(log)), 1
		fd, err := sys.BTFLoad(attr)
		return fd, attr.BTFLogTrueSize, err
	})
	if l.btf != nil {
		return nil
	}
	thing := ""
	if reason := logReason(log); reason != "" {
		thing = "(" + reason + ")"
	}
	refused := sys.Fail("load BTF", thing, err, adviseLoad(err, "CAP_BPF"))
	if err != unix.EINVAL && err != unix.E2BIG && err != errUnknown {
		return refused
	}
	l.withoutBTF = refused // as libbpf; most objects need none. If this one does, what needs it is refused, and load says why.
	return nil
}

// errUnknown is the kernel's ENOTSUPP, which it has for BTF that is well formed, and yet of no use.
const errUnknown = unix.Errno(524)

func (l *loader) tryBTF(types *btf.Data) (*sys.FD, error) {
	return l.withMemlock(func() (*sys.FD, error) { return sys.BTFLoad(l.btfLoadAttr(types.Raw())) })
}

func (l *loader) btfLoadAttr(raw []byte) *sys.BTFLoadAttr {
	token, flag := l.opts.Token.attr()
	return &sys.BTFLoadAttr{BTF: sys.Slice(raw), BTFSize: uint32(len(raw)), BTFTokenFD: token, BTFFlags: flag}
}

// knownTypes returns types in words that this kernel knows, and what of them it does not know. It asks the kernel, not its version, since distributions add
// features to old kernels; and only about what is in the types. It is for types that the kernel has refused, or that differ from those that it has: what
// is taken as it is costs no question.
func knownTypes(types *btf.Data) (known *btf.Data, lacks btf.Parts) {
	all := types.Parts()
	for part := btf.Parts(1); part <= all; part <<= 1 {
		if all&part != 0 && !isKnown(types, part) {
			lacks |= part
		}
	}
	if lacks == 0 {
		return types, 0
	}
	known, err := types.Without(lacks)
	if err != nil { // a copy of what is well formed is, too
		return types, 0
	}
	return known, lacks
}

// partsKnown and partsLacked are what this kernel has said of parts of BTF: it is asked once in a process.
var partsKnown, partsLacked atomic.Uint32

// isKnown tells whether the kernel takes a part. What cannot be asked about is taken for unknown.
func isKnown(types *btf.Data, part btf.Parts) bool {
	if (partsKnown.Load()|partsLacked.Load())&uint32(part) != 0 {
		return partsKnown.Load()&uint32(part) != 0
	}
	probe := types.Probe(part)
	if probe == nil {
		return false
	}
	fd, err := sys.BTFLoad(&sys.BTFLoadAttr{BTF: sys.Slice(probe), BTFSize: uint32(len(probe))})
	fd.Close()
	switch err {
	case nil:
		partsKnown.Or(uint32(part))
	case unix.EINVAL:
		partsLacked.Or(uint32(part))
	}
	return err != unix.EINVAL // any other error says nothing of the part
}
