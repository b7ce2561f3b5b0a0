package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// MapInfo is what the kernel tells about a map: struct bpf_map_info.
type MapInfo struct {
	Type                  MapType
	ID                    uint32
	KeySize               uint32 // bytes
	ValueSize             uint32 // bytes
	MaxEntries            uint32
	MapFlags              uint32
	Name                  ObjName
	Ifindex               uint32
	BTFVmlinuxValueTypeID uint32
	NetnsDev              uint64
	NetnsIno              uint64
	BTFID                 uint32
	BTFKeyTypeID          uint32
	BTFValueTypeID        uint32
	BTFVmlinuxID          uint32
	MapExtra              uint64 // Linux 5.16
	Hash                  Pointer
	HashSize              uint32 // Linux 6.18
	_                     uint32
}

// ProgInfo is what the kernel tells about a program: struct bpf_prog_info. The pointers are the caller's buffers, each with its
// count beside it, null where nothing is asked for.
type ProgInfo struct {
	Type                 ProgType
	ID                   uint32
	Tag                  [unix.BPF_TAG_SIZE]byte
	JitedProgLen         uint32 // bytes
	XlatedProgLen        uint32 // bytes
	JitedProgInsns       Pointer
	XlatedProgInsns      Pointer
	LoadTime             uint64 // nanoseconds since boot
	CreatedByUID         uint32
	NrMapIDs             uint32
	MapIDs               Pointer // *uint32
	Name                 ObjName
	Ifindex              uint32
	GPLCompatible        uint32 // bit 0
	NetnsDev             uint64
	NetnsIno             uint64
	NrJitedKsyms         uint32
	NrJitedFuncLens      uint32
	JitedKsyms           Pointer
	JitedFuncLens        Pointer
	BTFID                uint32
	FuncInfoRecSize      uint32
	FuncInfo             Pointer
	NrFuncInfo           uint32
	NrLineInfo           uint32
	LineInfo             Pointer
	JitedLineInfo        Pointer
	NrJitedLineInfo      uint32
	LineInfoRecSize      uint32
	JitedLineInfoRecSize uint32
	NrProgTags           uint32
	ProgTags             Pointer
	RunTimeNs            uint64
	RunCnt               uint64
	RecursionMisses      uint64 // Linux 5.12
	VerifiedInsns        uint32 // Linux 5.16
	AttachBTFObjID       uint32 // Linux 5.18
	AttachBTFID          uint32 // Linux 5.18
	_                    uint32
}

// BTFInfo is what the kernel tells about a BTF object: struct bpf_btf_info.
type BTFInfo struct {
	BTF       Pointer
	BTFSize   uint32 // bytes
	ID        uint32
	Name      Pointer
	NameLen   uint32 // bytes
	KernelBTF uint32 // not 0 for the kernel's own and its modules'; Linux 5.11
}

// GetInfo asks about what fd is: I is MapInfo, ProgInfo, BTFInfo or one of the link information structures, and must be the right
// one: the kernel writes what it has. It gives how many bytes the kernel knows.
func GetInfo[I any](fd *FD, info *I) (int, error) {
	return getInfo(fd, Ptr(info), uint32(unsafe.Sizeof(*info)))
}

func getInfo(fd *FD, info Pointer, size uint32) (int, error) {
	attr := ObjInfoAttr{BPFFD: fd.Attr(), InfoLen: size, Info: info}
	err := ObjGetInfoByFD(&attr)
	return int(attr.InfoLen), err
}
