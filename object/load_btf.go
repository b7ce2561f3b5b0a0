package object

import (
	"github.com/pinion-bpf/pinion/sys"
)

// loadBTF gives the kernel the object's types: once, for all its maps and programs.
func (l *loader) loadBTF() error {
	raw, err := l.spec.kernelBTF()
	if err != nil || raw == nil {
		return err
	}
	attr := sys.BTFLoadAttr{BTF: sys.Slice(raw), BTFSize: uint32(len(raw))}
	l.btf, err = l.withMemlock(func() (*sys.FD, error) { return sys.BTFLoad(&attr) })
	if err == nil {
		return nil
	}
	var log string
	l.btf, log, _ = withLog(func(log []byte) (*sys.FD, uint32, error) {
		attr.BTFLogBuf, attr.BTFLogSize, attr.BTFLogLevel = sys.Slice(log), uint32(len(log)), 1
		fd, err := sys.BTFLoad(&attr)
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
