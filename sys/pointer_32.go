//go:build arm || 386

package sys

import "unsafe"

// Pointer is a pointer field of an attribute: always 64 bits wide for the kernel, the machine's 32 first on a little-endian
// one. It holds a real pointer, so what it points at stays alive and is found again when a stack moves.
type Pointer struct {
	p unsafe.Pointer
	_ uint32
}
