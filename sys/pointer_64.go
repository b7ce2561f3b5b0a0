//go:build amd64 || arm64 || riscv64 || s390x

package sys

import "unsafe"

// Pointer is a pointer field of an attribute: always 64 bits wide for the kernel. It holds a real pointer, so what it points at
// stays alive and is found again when a stack moves.
type Pointer struct {
	p unsafe.Pointer
}
