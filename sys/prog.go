package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// ProgLoadAttr is the attribute of BPF_PROG_LOAD.
type ProgLoadAttr struct {
	ProgType           ProgType
	InsnCnt            uint32 // instructions of 8 bytes
	Insns              Pointer
	License            Pointer // NUL-terminated
	LogLevel           uint32
	LogSize            uint32 // bytes
	LogBuf             Pointer
	KernVersion        uint32
	ProgFlags          uint32
	ProgName           ObjName
	ProgIfindex        uint32
	ExpectedAttachType AttachType
	ProgBTFFD          uint32
	FuncInfoRecSize    uint32 // bytes
	FuncInfo           Pointer
	FuncInfoCnt        uint32
	LineInfoRecSize    uint32 // bytes
	LineInfo           Pointer
	LineInfoCnt        uint32
	AttachBTFID        uint32
	AttachProgFD       uint32 // or a BTF object's, for a kernel module's types
	CoreReloCnt        uint32 // Linux 5.17
	FDArray            Pointer
	CoreRelos          Pointer
	CoreReloRecSize    uint32
	LogTrueSize        uint32 // written by Linux 6.4 and later: bytes that the whole log needs
	ProgTokenFD        int32  // Linux 6.9
	FDArrayCnt         uint32 // Linux 6.14
	Signature          Pointer
	SignatureSize      uint32 // Linux 6.18
	KeyringID          int32
}

// ProgLoad verifies and loads a program. A signal makes the verifier give up with EAGAIN, so it is called again some times.
func ProgLoad(attr *ProgLoadAttr) (*FD, error) {
	raw, err := bpfAgain(unix.BPF_PROG_LOAD, unsafe.Pointer(attr), unix.EAGAIN, progLoadAttempts)
	if err != nil {
		return nil, err
	}
	return NewFD(raw)
}

// ProgAttachAttr is the attribute of BPF_PROG_ATTACH and BPF_PROG_DETACH.
type ProgAttachAttr struct {
	TargetFD         uint32 // or an interface's index
	AttachBPFFD      uint32
	AttachType       AttachType
	AttachFlags      uint32
	ReplaceBPFFD     uint32
	RelativeFD       uint32 // or an id, with BPF_F_ID; Linux 6.6
	ExpectedRevision uint64 // Linux 6.6
	_                [136]byte
}

// ProgAttach attaches a program without a link: nothing owns the attachment, and only ProgDetach ends it.
func ProgAttach(attr *ProgAttachAttr) error {
	return bpfDo(unix.BPF_PROG_ATTACH, unsafe.Pointer(attr))
}

// ProgDetach undoes ProgAttach.
func ProgDetach(attr *ProgAttachAttr) error {
	return bpfDo(unix.BPF_PROG_DETACH, unsafe.Pointer(attr))
}

// ProgTestRunAttr is the attribute of BPF_PROG_TEST_RUN. Sizes are in bytes; Retval, DataSizeOut, CtxSizeOut and Duration
// (nanoseconds a run) come back.
type ProgTestRunAttr struct {
	ProgFD      uint32
	Retval      uint32
	DataSizeIn  uint32
	DataSizeOut uint32
	DataIn      Pointer
	DataOut     Pointer
	Repeat      uint32
	Duration    uint32
	CtxSizeIn   uint32
	CtxSizeOut  uint32
	CtxIn       Pointer
	CtxOut      Pointer
	Flags       uint32
	CPU         uint32
	BatchSize   uint32
	_           [92]byte
}

// ProgTestRun runs a program on given data. A signal makes the kernel stop with EINTR, so it is called again.
func ProgTestRun(attr *ProgTestRunAttr) error {
	_, err := bpfAgain(unix.BPF_PROG_TEST_RUN, unsafe.Pointer(attr), unix.EINTR, progTestRunAttempts)
	return err
}

// ProgQueryAttr is the attribute of BPF_PROG_QUERY. ProgCnt says how many ids fit into ProgIDs and comes back as how many there are.
type ProgQueryAttr struct {
	TargetFD        uint32 // or an interface's index
	AttachType      AttachType
	QueryFlags      uint32
	AttachFlags     uint32
	ProgIDs         Pointer // *uint32
	ProgCnt         uint32
	_               uint32
	ProgAttachFlags Pointer // *uint32; Linux 6.1
	LinkIDs         Pointer // *uint32; Linux 6.6
	LinkAttachFlags Pointer // *uint32; Linux 6.6
	Revision        uint64  // Linux 6.6
	_               [104]byte
}

// ProgQuery lists what is attached to a cgroup, an interface or a network namespace; ENOSPC says that ProgIDs is too short.
func ProgQuery(attr *ProgQueryAttr) error {
	return bpfDo(unix.BPF_PROG_QUERY, unsafe.Pointer(attr))
}

// ProgBindMapAttr is the attribute of BPF_PROG_BIND_MAP.
type ProgBindMapAttr struct {
	ProgFD uint32
	MapFD  uint32
	Flags  uint32
	_      [156]byte
}

// ProgBindMap makes a map live as long as the program, though no instruction uses it.
func ProgBindMap(attr *ProgBindMapAttr) error {
	return bpfDo(unix.BPF_PROG_BIND_MAP, unsafe.Pointer(attr))
}

// ProgStreamReadAttr is the attribute of BPF_PROG_STREAM_READ_BY_FD.
type ProgStreamReadAttr struct {
	StreamBuf    Pointer
	StreamBufLen uint32 // bytes
	StreamID     uint32 // 1 standard output, 2 standard error
	ProgFD       uint32
	_            [148]byte
}

// ProgStreamRead reads what a program printed to one of its streams and gives the number of bytes. Linux 6.17.
func ProgStreamRead(attr *ProgStreamReadAttr) (int, error) {
	return bpf(cmdProgStreamReadByFD, unsafe.Pointer(attr))
}

// ProgAssocStructOpsAttr is the attribute of BPF_PROG_ASSOC_STRUCT_OPS.
type ProgAssocStructOpsAttr struct {
	MapFD  uint32
	ProgFD uint32
	Flags  uint32
	_      [156]byte
}

// ProgAssocStructOps ties a program to a struct_ops map. Linux 7.0.
func ProgAssocStructOps(attr *ProgAssocStructOpsAttr) error {
	return bpfDo(cmdProgAssocStructOps, unsafe.Pointer(attr))
}

// RawTracepointOpenAttr is the attribute of BPF_RAW_TRACEPOINT_OPEN.
type RawTracepointOpenAttr struct {
	Name   Pointer // NUL-terminated
	ProgFD uint32
	_      uint32
	Cookie uint64 // Linux 6.10
	_      [144]byte
}

// RawTracepointOpen attaches a program to a raw tracepoint, or a tracing or LSM program to what it was loaded for (with no name). What
// comes back is a link.
func RawTracepointOpen(attr *RawTracepointOpenAttr) (*FD, error) {
	return bpfFD(unix.BPF_RAW_TRACEPOINT_OPEN, unsafe.Pointer(attr))
}
