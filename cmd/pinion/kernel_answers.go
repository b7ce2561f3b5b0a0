package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/object/configgz"
	"github.com/pinion-bpf/pinion/pinning"
)

// kernelAnswers are what objects ask of the kernel, read when the first one needs them.
type kernelAnswers struct {
	typesFile  string // "" for the types of the kernel that runs
	configFile string // "" for its configuration
	types      *object.KernelTypes
	config     *object.Kconfig
}

// answerFlags defines the flags that say where the answers come from.
func answerFlags(flags *flag.FlagSet) *kernelAnswers {
	k := new(kernelAnswers)
	flags.StringVar(&k.typesFile, "btf", "", "fit accesses (CO-RE) to the kernel types in `FILE`, BTF or a vmlinux with it, and not to those of the kernel that runs")
	flags.StringVar(&k.configFile, "kconfig", "", "take externs of .kconfig from `FILE`, lines of CONFIG_X=y, and not from /boot/config-<release> or /proc/config.gz")
	return k
}

// give sets the answers that the object needs in the options.
func (k *kernelAnswers) give(spec *object.Spec, opts *pinning.Options) (err error) {
	var load object.LoadOptions
	if spec.NeedsKernelTypes() {
		if k.types == nil {
			if k.types, err = k.readTypes(); err != nil {
				return err
			}
		}
		load.KernelTypes = k.types
	}
	if spec.NeedsKconfig() {
		if load.Kconfig, err = k.readConfig(spec); err != nil {
			return err
		}
	}
	if load.KernelTypes != nil || load.Kconfig != nil {
		opts.Load = &load
	}
	return nil
}

func (k *kernelAnswers) readTypes() (*object.KernelTypes, error) {
	if k.typesFile == "" {
		return object.RunningKernel()
	}
	data, err := os.ReadFile(k.typesFile)
	if err != nil {
		return nil, err
	}
	return object.ParseKernelTypes(data)
}

// readConfig reads the configuration. What the object may not need is not asked for: the kernel's version and the like are in none.
func (k *kernelAnswers) readConfig(spec *object.Spec) (*object.Kconfig, error) {
	if k.config != nil {
		return k.config, nil
	}
	if k.configFile != "" {
		text, err := os.ReadFile(k.configFile)
		if err == nil {
			k.config = object.ParseKconfig(text)
		}
		return k.config, err
	}
	needs := false
	for _, e := range spec.Externs() {
		needs = needs || strings.HasPrefix(e.Name, "CONFIG_")
	}
	if !needs {
		return object.ParseKconfig(nil), nil
	}
	config, err := object.RunningKconfig()
	if errors.Is(err, unix.ENOENT) {
		var text []byte
		if text, err = configgz.Read(); err == nil {
			config = object.ParseKconfig(text)
		} else if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("the kernel's configuration is neither in /boot nor in %s (give it with -kconfig FILE): %w", configgz.Path, err)
		}
	}
	k.config = config
	return config, err
}

func (k *kernelAnswers) close() {
	if k.types != nil {
		k.types.Close()
	}
}
