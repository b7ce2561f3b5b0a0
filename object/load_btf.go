package object

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/sys"
)

// loadBTF gives the kernel the object's types: once, for all its maps and programs.
func (l *loader) loadBTF() error {
	types, err := l.spec.kernelBTF()
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
	attr := btfLoadAttr(types.Raw())
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
	return sys.Fail("load BTF", thing, err, adviseLoad(err, "CAP_BPF", ""))
}

func (l *loader) tryBTF(types *btf.Data) (*sys.FD, error) {
	return l.withMemlock(func() (*sys.FD, error) { return sys.BTFLoad(btfLoadAttr(types.Raw())) })
}

func btfLoadAttr(raw []byte) *sys.BTFLoadAttr {
	return &sys.BTFLoadAttr{BTF: sys.Slice(raw), BTFSize: uint32(len(raw))}
}

// knownTypes returns types in the words that this kernel knows, if there are some in them that it does not: it is asked about those alone. So a kernel that
// somebody has given a newer feature is told of it, and one that knows all is asked nothing, for this is called only once it has refused.
func knownTypes(types *btf.Data) (known *btf.Data, lacks btf.Parts) {
	all := types.Parts()
	for part := btf.Parts(1); part <= all; part <<= 1 {
		if all&part != 0 && !isKnown(types.Probe(part)) {
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

// isKnown asks the kernel whether it takes BTF. What cannot be asked about is taken for unknown.
func isKnown(probe []byte) bool {
	if probe == nil {
		return false
	}
	fd, err := sys.BTFLoad(btfLoadAttr(probe))
	fd.Close()
	return err != unix.EINVAL
}
