package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// MapCreateAttr is the attribute of BPF_MAP_CREATE.
type MapCreateAttr struct {
	MapType               MapType
	KeySize               uint32 // bytes
	ValueSize             uint32 // bytes
	MaxEntries            uint32
	MapFlags              uint32
	InnerMapFD            uint32
	NumaNode              uint32
	MapName               ObjName
	MapIfindex            uint32
	BTFFD                 uint32
	BTFKeyTypeID          uint32
	BTFValueTypeID        uint32
	BTFVmlinuxValueTypeID uint32
	MapExtra              uint64 // Linux 5.16
	ValueTypeBTFObjFD     int32  // Linux 6.9
	MapTokenFD            int32  // Linux 6.9
	ExclProgHash          Pointer
	ExclProgHashSize      uint32 // Linux 6.18
	_                     [76]byte
}

// MapCreate makes a map.
func MapCreate(attr *MapCreateAttr) (*FD, error) {
	return bpfFD(unix.BPF_MAP_CREATE, unsafe.Pointer(attr))
}

// MapElemAttr is the attribute of the commands on one element. Key and Value must point at as many bytes as the map's key and
// value have: a per-CPU map's value is its size rounded up to 8 bytes for every possible CPU.
type MapElemAttr struct {
	MapFD uint32
	_     uint32
	Key   Pointer
	Value Pointer
	Flags uint64
	_     [136]byte
}

// MapLookupElem reads an element.
func MapLookupElem(attr *MapElemAttr) error {
	return bpfDo(unix.BPF_MAP_LOOKUP_ELEM, unsafe.Pointer(attr))
}

// MapUpdateElem writes an element.
func MapUpdateElem(attr *MapElemAttr) error {
	return bpfDo(unix.BPF_MAP_UPDATE_ELEM, unsafe.Pointer(attr))
}

// MapDeleteElem removes an element.
func MapDeleteElem(attr *MapElemAttr) error {
	return bpfDo(unix.BPF_MAP_DELETE_ELEM, unsafe.Pointer(attr))
}

// MapLookupAndDeleteElem reads an element and removes it: queues and stacks always, hash maps from Linux 5.14.
func MapLookupAndDeleteElem(attr *MapElemAttr) error {
	return bpfDo(unix.BPF_MAP_LOOKUP_AND_DELETE_ELEM, unsafe.Pointer(attr))
}

// MapNextKeyAttr is the attribute of BPF_MAP_GET_NEXT_KEY. A null Key asks for the first.
type MapNextKeyAttr struct {
	MapFD   uint32
	_       uint32
	Key     Pointer
	NextKey Pointer
	_       [144]byte
}

// MapGetNextKey writes the key after Key to NextKey; ENOENT ends an iteration.
func MapGetNextKey(attr *MapNextKeyAttr) error {
	return bpfDo(unix.BPF_MAP_GET_NEXT_KEY, unsafe.Pointer(attr))
}

// MapFreezeAttr is the attribute of BPF_MAP_FREEZE.
type MapFreezeAttr struct {
	MapFD uint32
	_     [164]byte
}

// MapFreeze ends all writing to the map from user space.
func MapFreeze(attr *MapFreezeAttr) error {
	return bpfDo(unix.BPF_MAP_FREEZE, unsafe.Pointer(attr))
}

// MapBatchAttr is the attribute of the batch commands. Count is in elements, and comes back as how many were done, also with an
// error.
type MapBatchAttr struct {
	InBatch   Pointer
	OutBatch  Pointer
	Keys      Pointer
	Values    Pointer
	Count     uint32
	MapFD     uint32
	ElemFlags uint64
	Flags     uint64
	_         [112]byte
}

// MapLookupBatch reads many elements; ENOENT says that these were the last.
func MapLookupBatch(attr *MapBatchAttr) error {
	return bpfDo(unix.BPF_MAP_LOOKUP_BATCH, unsafe.Pointer(attr))
}

// MapLookupAndDeleteBatch reads many elements and removes them.
func MapLookupAndDeleteBatch(attr *MapBatchAttr) error {
	return bpfDo(unix.BPF_MAP_LOOKUP_AND_DELETE_BATCH, unsafe.Pointer(attr))
}

// MapUpdateBatch writes many elements.
func MapUpdateBatch(attr *MapBatchAttr) error {
	return bpfDo(unix.BPF_MAP_UPDATE_BATCH, unsafe.Pointer(attr))
}

// MapDeleteBatch removes many elements.
func MapDeleteBatch(attr *MapBatchAttr) error {
	return bpfDo(unix.BPF_MAP_DELETE_BATCH, unsafe.Pointer(attr))
}
