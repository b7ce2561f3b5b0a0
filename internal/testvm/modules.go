package testvm

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A module is a kernel module, as it goes into the image.
type module struct {
	file string // its name with ".ko", and how it is compressed if the host could not unpack it
	data []byte
}

// moduleSet finds modules below lib/modules/<release>. What a module needs stands in the module itself, so no depmod has to have run: packages that are
// only unpacked have no modules.dep.
type moduleSet struct {
	paths   map[string]string // by name
	builtin map[string]bool
	taken   map[string]bool
	modules []module // in the order of loading
}

// findModules gives the modules that are asked for, each after those it needs. What is built into the kernel is left out.
func findModules(dir string, names []string) ([]module, error) {
	if len(names) == 0 {
		return nil, nil
	}
	if dir == "" {
		return nil, fmt.Errorf("the kernel came without modules: there is no %s", strings.Join(names, ", "))
	}
	set := moduleSet{paths: make(map[string]string), builtin: make(map[string]bool), taken: make(map[string]bool)}
	builtin, err := os.ReadFile(filepath.Join(dir, "modules.builtin"))
	if err != nil {
		return nil, err
	}
	for _, path := range strings.Fields(string(builtin)) {
		set.builtin[moduleName(path)] = true
	}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.Contains(entry.Name(), ".ko") {
			set.paths[moduleName(path)] = path
		}
		return err
	})
	for _, name := range names {
		if err == nil {
			err = set.take(moduleName(name))
		}
	}
	return set.modules, err
}

// moduleName is the name by which a module is known, of its path: the kernel takes - and _ for the same.
func moduleName(path string) string {
	name, _, _ := strings.Cut(filepath.Base(path), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

func (s *moduleSet) take(name string) error {
	if s.taken[name] || s.builtin[name] {
		return nil
	}
	s.taken[name] = true
	path, ok := s.paths[name]
	if !ok {
		return fmt.Errorf("the kernel has no module %s", name)
	}
	data, err := unpackModule(path)
	if err != nil {
		return err
	}
	needed, err := moduleNeeds(data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, other := range needed {
		if err := s.take(moduleName(other)); err != nil {
			return fmt.Errorf("%s needs %s: %w", name, other, err)
		}
	}
	s.modules = append(s.modules, module{name + ".ko", data})
	return nil
}

// unpackModule reads a module. Kernels before 5.17 cannot unpack it, and later ones only if they were built to.
func unpackModule(path string) ([]byte, error) {
	switch filepath.Ext(path) {
	case ".ko":
		return os.ReadFile(path)
	case ".xz":
		return exec.Command("xz", "-dc", path).Output()
	case ".zst":
		return exec.Command("zstd", "-dcq", path).Output()
	case ".gz":
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		unpacked, err := gzip.NewReader(file)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(unpacked)
	}
	return nil, fmt.Errorf("%s is compressed in an unknown way", path)
}

// moduleNeeds reads the names of the modules that a module needs.
func moduleNeeds(data []byte) ([]string, error) {
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	section := file.Section(".modinfo")
	if section == nil {
		return nil, fmt.Errorf("this is no kernel module")
	}
	info, err := section.Data()
	if err != nil {
		return nil, err
	}
	for field := range strings.SplitSeq(string(info), "\x00") {
		if value, ok := strings.CutPrefix(field, "depends="); ok && value != "" {
			return strings.Split(value, ","), nil
		}
	}
	return nil, nil
}
