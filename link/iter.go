package link

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// Iter attaches an iterator program (type tracing, attach type trace_iter) to what it was loaded for. At most one kind of target may be
// given; with none, the iterator walks over everything of its kind.
type Iter struct {
	Map *sys.FD // the map whose elements are walked: for bpf_map_elem, where it is required, and bpf_sk_storage_map

	Cgroup      *sys.FD // where a cgroup iterator starts: Linux 6.1
	CgroupOrder uint32  // enum bpf_cgroup_iter_order, required for a cgroup: 1 the cgroup only, 2 it and all below, 3 those before it, 4 its ancestors

	TID uint32 // for task iterators, one thread: Linux 6.1
	PID uint32 // for task iterators, all threads of one process: Linux 6.1
}

// Attach makes an iterator link, which runs nothing by itself: see [OpenIter]. It needs CAP_BPF and CAP_PERFMON.
func (i Iter) Attach(program *sys.FD) (*Link, error) {
	l, err := i.create(program)
	if err != nil {
		return nil, sys.Fail("attach iterator", "", err, advise(err, "5.8, for a cgroup or a task 6.1", "CAP_PERFMON"))
	}
	return l, nil
}

func (i Iter) create(program *sys.FD) (*Link, error) {
	if anyClosed(program) || i.Map != nil && anyClosed(i.Map) || i.Cgroup != nil && anyClosed(i.Cgroup) {
		return nil, sys.ErrClosed
	}
	attr := sys.LinkCreateAttr{ProgFD: program.Attr(), AttachType: sys.AttachTypeTraceIter}
	targets := 0
	// The three structures are forms of one union.
	if i.Map != nil {
		attr.IterInfo = sys.Ptr(&sys.MapIterInfo{MapFD: i.Map.Attr()})
		targets++
	}
	if i.Cgroup != nil {
		attr.IterInfo = sys.Ptr(&sys.CgroupIterInfo{Order: i.CgroupOrder, CgroupFD: i.Cgroup.Attr()})
		targets++
	}
	if i.TID != 0 || i.PID != 0 {
		attr.IterInfo = sys.Ptr(&sys.TaskIterInfo{TID: i.TID, PID: i.PID})
		targets++
	}
	if targets > 1 {
		return nil, unix.EINVAL
	}
	attr.IterInfoLen = uint32(targets) * uint32(unsafe.Sizeof(sys.MapIterInfo{}))
	return newLink(sys.LinkCreate(&attr))
}

// OpenIter opens an iterator link for one walk: the kernel runs the program while the descriptor is read, and what the program prints
// is what is read, up to end of file. EINVAL if l is no iterator.
func OpenIter(l *Link) (*sys.FD, error) {
	if l.closed() {
		return nil, l.fail("iterate", sys.ErrClosed, "")
	}
	fd, err := sys.IterCreate(&sys.IterCreateAttr{LinkFD: l.fd.Attr()})
	if err != nil {
		return nil, l.fail("iterate", err, advise(err, "5.8", "CAP_PERFMON"))
	}
	return fd, nil
}

// ReadIter does one whole walk and gives what the program printed. EFBIG if that is more than limit bytes.
func ReadIter(l *Link, limit int) ([]byte, error) {
	fd, err := OpenIter(l)
	if err != nil {
		return nil, err
	}
	defer fd.Close()
	text, err := readAll(fd, limit)
	if err != nil {
		return nil, l.fail("iterate", err, "")
	}
	return text, nil
}

func readAll(fd *sys.FD, limit int) ([]byte, error) {
	var text []byte
	buf := make([]byte, 4096)
	for {
		n, err := unix.Read(fd.Int(), buf)
		switch {
		case err == unix.EAGAIN || err == unix.EINTR:
			continue // the kernel pauses after a million objects without output (bpf_seq_read in kernel/bpf/bpf_iter.c)
		case err != nil:
			return nil, err
		case n == 0:
			return text, nil
		case n > limit-len(text):
			return nil, unix.EFBIG
		}
		text = append(text, buf[:n]...)
	}
}
