package object_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
)

// TestCoreModules asks each module that is loaded for a struct that only it has: core_kinds, with the name of the type that no kernel has replaced. The kernels of
// the matrix are started without modules; with some: tools/vmtest.sh -k newest -module veth -module tun -run TestCoreModules ./object
func TestCoreModules(t *testing.T) {
	const missing = "pinion_has_no_such_type"
	kernel, types := kernelBTF(t), runningKernel(t)
	want := map[string]uint64{"no_id": 0, "no_type": 0, "no_size": 0} // without the name changed, modules or not
	o := loadSpec(t, open(t, "core_kinds"), &object.LoadOptions{KernelTypes: types})
	run(t, o, "read_types", 0)
	wantVariables(t, o, want)

	files, err := filepath.Glob("/sys/kernel/btf/*")
	check(t, err)
	seen, tried := namesOfModules(t, kernel, files), 0
	for name, typ := range seen {
		if typ.ID() == 0 || len(name) > len(missing) {
			continue // several have it
		}
		tried++
		data := bytes.Replace(mustRead(t, "core_kinds"), append([]byte(missing), 0), append([]byte(name), make([]byte, len(missing)+1-len(name))...), 1)
		s, err := object.Parse("of_module", data)
		check(t, err)
		o := loadSpec(t, s, &object.LoadOptions{KernelTypes: types})
		run(t, o, "read_types", 0)
		wantVariables(t, o, map[string]uint64{"no_id": uint64(typ.ID()), "no_type": 1, "no_size": uint64(typ.Size())})
		if tried == 10 {
			break
		}
	}
	if len(files) > 1 && tried == 0 {
		t.Errorf("no struct of any of the modules %q could be asked for", files)
	}
	t.Logf("%d structs of %d modules", tried, len(files)-1)
}

// namesOfModules gives the structs that modules have and the kernel has not; void where several have one of the name.
func namesOfModules(t *testing.T, kernel *btf.Data, files []string) map[string]btf.Type {
	t.Helper()
	seen := map[string]btf.Type{}
	for _, file := range files {
		if filepath.Base(file) == "vmlinux" {
			continue
		}
		raw, err := os.ReadFile(file)
		check(t, err)
		d, err := btf.ParseSplit(raw, kernel)
		check(t, err)
		for id := kernel.Len(); id < d.Len(); id++ {
			typ := d.Type(btf.ID(id))
			if typ.Kind() != btf.KindStruct || typ.Name() == "" {
				continue
			}
			if _, twice := seen[typ.Name()]; twice {
				typ = btf.Type{}
			} else if _, known := kernel.Find(btf.KindStruct, typ.Name()); known {
				continue
			}
			seen[d.Type(btf.ID(id)).Name()] = typ
		}
	}
	return seen
}

// TestCoreMinimal fits accesses to what bpftool leaves of the kernel's types for them. Only ids differ then.
func TestCoreMinimal(t *testing.T) {
	testenv.Host(t, "bpftool")
	file := filepath.Join(t.TempDir(), "minimal.btf")
	output(t, "bpftool", "gen", "min_core_btf", "/sys/kernel/btf/vmlinux", file, path("core_kinds"))
	raw, err := os.ReadFile(file)
	check(t, err)
	types, err := object.ParseKernelTypes(raw)
	check(t, err)
	whole := loadSpec(t, open(t, "core_kinds"), nil)
	o := loadSpec(t, open(t, "core_kinds"), &object.LoadOptions{KernelTypes: types})
	want := map[string]uint64{}
	run(t, whole, "read_task", 0)
	run(t, o, "read_task", 0)
	for _, name := range []string{"tgid", "parent", "comm_offset", "third_offset", "comm_size", "has_comm", "has_none", "has_state", "has_new_state"} {
		want[name] = variable(t, whole, name)
	}
	wantVariables(t, o, want)
}

// TestCoreShared has several loads use one KernelTypes at once.
func TestCoreShared(t *testing.T) {
	testenv.Root(t)
	types, specs := runningKernel(t), []*object.Spec{open(t, "core"), open(t, "core_kinds"), open(t, "iter"), open(t, "core_kinds")}
	errs := make(chan error)
	for _, s := range specs {
		go func() {
			o, err := s.Load(&object.LoadOptions{KernelTypes: types})
			if err == nil {
				err = o.Close()
			}
			errs <- err
		}()
	}
	for range specs {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
