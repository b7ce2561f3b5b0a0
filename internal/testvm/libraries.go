package testvm

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// findFile gives the path of a file to put into the image: a name without a slash is that of a program.
func findFile(name string) (string, error) {
	if strings.Contains(name, "/") {
		return filepath.Abs(name)
	}
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/sbin") {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", fmt.Errorf("there is no program %s on the PATH", name)
}

// libraries gives the paths of all that a program needs to start beside itself: its interpreter, its shared libraries, and theirs. What is no
// dynamic executable needs nothing.
func libraries(program string) (needed []string, err error) {
	seen := make(map[string]bool)
	for todo := []string{program}; len(todo) > 0; todo = todo[1:] {
		more, err := directlyNeeded(todo[0])
		if err != nil {
			return nil, err
		}
		for _, path := range more {
			if !seen[path] {
				seen[path] = true
				needed, todo = append(needed, path), append(todo, path)
			}
		}
	}
	return needed, nil
}

func directlyNeeded(path string) (needed []string, err error) {
	file, err := elf.Open(path)
	if _, ok := errors.AsType[*elf.FormatError](err); ok || errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer file.Close()
	for _, p := range file.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		interpreter, err := io.ReadAll(p.Open())
		if err != nil {
			return nil, err
		}
		needed = append(needed, strings.TrimRight(string(interpreter), "\x00"))
	}
	names, err := file.ImportedLibraries()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	dirs := libraryDirs(file, path)
	for _, name := range names {
		found := findLibrary(dirs, name, file.Machine)
		if found == "" {
			return nil, fmt.Errorf("%s needs %s, which is in none of %s", path, name, strings.Join(dirs, " "))
		}
		needed = append(needed, found)
	}
	return needed, nil
}

// libraryDirs gives the directories that the loader looks into, in its order: see ld.so(8).
func libraryDirs(file *elf.File, path string) (dirs []string) {
	for _, tag := range []elf.DynTag{elf.DT_RPATH, elf.DT_RUNPATH} {
		values, err := file.DynString(tag)
		if err != nil {
			continue // there is none
		}
		for _, value := range values {
			value = strings.NewReplacer("$ORIGIN", filepath.Dir(path), "${ORIGIN}", filepath.Dir(path)).Replace(value)
			dirs = append(dirs, filepath.SplitList(value)...)
		}
	}
	dirs = append(dirs, "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib")
	configs, err := filepath.Glob("/etc/ld.so.conf.d/*.conf")
	if err != nil {
		return dirs
	}
	for _, config := range configs {
		dirs = append(dirs, configuredDirs(config)...)
	}
	return dirs
}

func configuredDirs(config string) (dirs []string) {
	file, err := os.Open(config)
	if err != nil {
		return nil
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if line := strings.TrimSpace(lines.Text()); strings.HasPrefix(line, "/") {
			dirs = append(dirs, line)
		}
	}
	return dirs
}

// findLibrary gives the path of a library for a kind of machine, "" if there is none.
func findLibrary(dirs []string, name string, machine elf.Machine) string {
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		file, err := elf.Open(path)
		if err != nil {
			continue
		}
		fits := file.Machine == machine
		file.Close()
		if fits {
			return path
		}
	}
	return ""
}
