package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Ptr makes a pointer field of any pointer; nil is a null pointer.
func Ptr[T any](p *T) Pointer { return Pointer{p: unsafe.Pointer(p)} }

// Slice makes a pointer field of a slice's first element, a null pointer of an empty slice.
func Slice[T any](s []T) Pointer { return Pointer{p: unsafe.Pointer(unsafe.SliceData(s))} }

// CString makes a pointer field of a copy of s with a NUL after it. It is EINVAL if s has a NUL in it.
func CString(s string) (Pointer, error) {
	p, err := unix.BytePtrFromString(s)
	return Ptr(p), err
}

// ObjName is a name as the kernel keeps it: at most 15 bytes and a NUL.
type ObjName [unix.BPF_OBJ_NAME_LEN]byte

// NewObjName gives the first 15 bytes of name with every byte that the kernel refuses in a name replaced by '_'
// (bpf_obj_name_cpy in kernel/bpf/syscall.c allows letters, digits, '_' and '.').
func NewObjName(name string) ObjName {
	var out ObjName
	for i := range min(len(name), len(out)-1) {
		out[i] = '_'
		if c := name[i]; c == '.' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' {
			out[i] = c
		}
	}
	return out
}

// String gives the name without the NUL.
func (n ObjName) String() string { return unix.ByteSliceToString(n[:]) }
