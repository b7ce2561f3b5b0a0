package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// BTFLoadAttr is the attribute of BPF_BTF_LOAD. Sizes are in bytes.
type BTFLoadAttr struct {
	BTF            Pointer
	BTFLogBuf      Pointer
	BTFSize        uint32
	BTFLogSize     uint32
	BTFLogLevel    uint32
	BTFLogTrueSize uint32 // written by Linux 6.4 and later
	BTFFlags       uint32 // Linux 6.9
	BTFTokenFD     int32  // Linux 6.9
	_              [128]byte
}

// BTFLoad hands the kernel a program's types.
func BTFLoad(attr *BTFLoadAttr) (*FD, error) {
	return bpfFD(unix.BPF_BTF_LOAD, unsafe.Pointer(attr))
}
