package main

import (
	"flag"
	"os"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
)

// kernelTypes are the types that objects are fitted to, read when the first one needs them.
type kernelTypes struct {
	file  string // "" for those of the kernel that runs
	types *object.KernelTypes
}

// typesFlag defines the flag that says what objects are fitted to.
func typesFlag(flags *flag.FlagSet) *kernelTypes {
	k := new(kernelTypes)
	flags.StringVar(&k.file, "btf", "", "fit accesses (CO-RE) to the kernel types in `FILE`, BTF or a vmlinux with it, and not to those of the kernel that runs")
	return k
}

// give sets the types in the options, if the object needs any.
func (k *kernelTypes) give(spec *object.Spec, opts *pinning.Options) error {
	if !spec.NeedsKernelTypes() {
		return nil
	}
	if k.types == nil {
		types, err := k.read()
		if err != nil {
			return err
		}
		k.types = types
	}
	opts.Load = &object.LoadOptions{KernelTypes: k.types}
	return nil
}

func (k *kernelTypes) read() (*object.KernelTypes, error) {
	if k.file == "" {
		return object.RunningKernel()
	}
	data, err := os.ReadFile(k.file)
	if err != nil {
		return nil, err
	}
	return object.ParseKernelTypes(data)
}

func (k *kernelTypes) close() {
	if k.types != nil {
		k.types.Close()
	}
}
