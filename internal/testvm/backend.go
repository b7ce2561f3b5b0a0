package testvm

import (
	"context"
	"fmt"
	"io"

	"github.com/pinion-bpf/pinion/internal/testvm/kernels"
	"github.com/pinion-bpf/pinion/internal/testvm/wire"
)

// A Machine is what a [Backend] boots, once.
type Machine struct {
	Kernel    kernels.Kernel
	Initramfs string    // path of an image with a guest that is process 1
	Guest     string    // path of a guest that is a program of its own: "guest run PLAN"
	Plan      wire.Plan // for that guest: its paths are the host's, and it names no modules
	Modules   []string  // names of those that are to be loaded, which the initramfs has
	MemMiB    int
	CPUs      int
	Append    string // further parameters of the kernel

	Console io.Writer // gets what the kernel says
	Frames  io.Writer // gets what the guest sends, and perhaps junk
}

// A Backend boots machines. Any number may run at once.
type Backend interface {
	Name() string

	// Boot starts a machine, waits until it is off, and has then written all that came from it. When the context ends it stops the machine, and leaves no
	// process. An error means that the machine could not be started, or that what runs it failed; a kernel that panics is none.
	Boot(ctx context.Context, m *Machine) error
}

// NewBackend gives a back end by its name: "qemu" or "vng".
func NewBackend(name string) (Backend, error) {
	switch name {
	case "qemu":
		return &qemu{}, nil
	case "vng":
		return &vng{}, nil
	}
	return nil, fmt.Errorf("there is no back end %q: there are qemu and vng", name)
}
