package object_test

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// Load an object, attach one of its programs to a cgroup, and read what it counts.
func ExampleSpec_Load() {
	spec, err := object.Open("../testdata/bpf/counter.bpf.o")
	if err != nil {
		fmt.Println(err)
		return
	}
	counter, err := spec.Load(nil)
	if refused := (*object.VerifierError)(nil); errors.As(err, &refused) {
		fmt.Println(refused.Log)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer counter.Close() // detaches, too

	dir, err := link.OpenCgroup("/sys/fs/cgroup")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer dir.Close()
	_, err = counter.AttachTo("count_egress", "", link.Cgroup{Dir: dir, AttachType: sys.AttachTypeCgroupInetEgress})
	if err != nil {
		fmt.Println(err)
		return
	}
	egress, packets := []byte{1, 0, 0, 0}, make([]byte, 8)
	if err := counter.Map("packets").Lookup(egress, packets); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(binary.NativeEndian.Uint64(packets), "packets")
}

// Attach every program whose section says where to.
func ExampleObject_Attach() {
	spec, err := object.Open("../testdata/bpf/raw_tp.bpf.o")
	if err != nil {
		fmt.Println(err)
		return
	}
	calls, err := spec.Load(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer calls.Close()
	if err := calls.Attach(); err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range calls.Links() {
		fmt.Println(l.Program(), l.Type())
	}
}

// Load an object that is fitted to the kernel that runs (CO-RE). One KernelTypes serves any number of objects.
func ExampleRunningKernel() {
	types, err := object.RunningKernel()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer types.Close()
	spec, err := object.Open("../testdata/bpf/core.bpf.o")
	if err != nil {
		fmt.Println(err)
		return
	}
	task, err := spec.Load(&object.LoadOptions{KernelTypes: types})
	if refused := (*object.VerifierError)(nil); errors.As(err, &refused) && refused.Access != "" {
		fmt.Println("not on this kernel:", refused.Access)
		return
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer task.Close()
}
