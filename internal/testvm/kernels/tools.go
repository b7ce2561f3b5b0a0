package kernels

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A toolset is some programs of Debian, with the libraries that they load, in a tree of the cache. They run whatever the machine has: the directory bin of the
// tree has a script for each that starts it with the libraries of the tree.
type toolset struct {
	name     string // under which the cache knows it
	packages []string
	programs []string // paths in the tree
	finish   func(root string) error
}

// kmod makes modules.dep, and finds modules.
func kmod() toolset {
	return toolset{
		name:     "kmod",
		packages: []string{"kmod", "libkmod2", "liblzma5", "libzstd1", "libssl3t64", "zlib1g", "libc6"},
		programs: []string{"usr/sbin/depmod", "usr/sbin/modprobe"},
	}
}

// isToolPackage tells the packages of all toolsets.
func isToolPackage(name string) bool {
	return slices.Contains(kmod().packages, name) || slices.Contains(virtme().packages, name)
}

// depmod gives the path of depmod: the machine's, else Debian's from the cache.
func (s *search) depmod(ctx context.Context) (string, error) {
	for _, path := range []string{"depmod", "/usr/sbin/depmod", "/sbin/depmod"} {
		if found, err := exec.LookPath(path); err == nil {
			return found, nil
		}
	}
	root, err := s.tree(ctx, kmod())
	if err != nil {
		return "", fmt.Errorf("depmod is missing, and could not be had: %w; install kmod", err)
	}
	return filepath.Join(root, "bin", "depmod"), nil
}

// tree gives the tree of a toolset, from the cache if it is there.
func (s *search) tree(ctx context.Context, t toolset) (string, error) {
	if root := s.toolTree(t); root != "" && !s.Refresh {
		return root, nil
	}
	if err := s.cache.acquire(ctx, func() { s.say("kernels: waiting for another run that fetches kernels") }); err != nil {
		return "", err
	}
	if root := s.toolTree(t); root != "" && !s.Refresh {
		return root, nil
	}
	if err := s.read(ctx, s.Refresh); err != nil {
		return "", err
	}
	set, err := t.choose(s.all, s.matrix.tools)
	if err != nil {
		return "", err
	}
	name := set[0].String()
	if root := s.toolPath(name); existing(root) == "" {
		s.say("kernels: downloading %v", set)
		fill := func(dir string) error {
			if err := s.unpack(ctx, set, dir); err != nil {
				return err
			}
			return t.complete(dir)
		}
		if err := s.cache.build(root, fill); err != nil {
			return "", err
		}
	}
	return s.toolPath(name), s.cache.note(s.toolPath("current", t.name), name+"\n")
}

func (s *search) toolPath(elem ...string) string {
	return s.cache.path(append([]string{"tools", s.arch}, elem...)...)
}

// toolTree gives the tree that the cache has of a toolset, "" if there is none.
func (s *search) toolTree(t toolset) string {
	name, err := os.ReadFile(s.toolPath("current", t.name))
	if err != nil {
		return ""
	}
	return existing(s.toolPath(strings.TrimSpace(string(name))))
}

// choose finds the packages, all of them in one suite, as they fit together.
func (t toolset) choose(all []pkg, suite string) ([]pkg, error) {
	ofSuite := slices.DeleteFunc(slices.Clone(all), func(p pkg) bool { return p.suite != suite })
	var set []pkg
	for _, name := range t.packages {
		p := find(ofSuite, name, "")
		if p == nil {
			return nil, fmt.Errorf("suite %s has no package %s", suite, name)
		}
		set = append(set, *p)
	}
	return set, nil
}

// complete makes bin, and what else the tools need.
func (t toolset) complete(root string) error {
	for _, program := range t.programs {
		if err := wrap(root, filepath.Join("bin", filepath.Base(program)), program); err != nil {
			return err
		}
	}
	if t.finish == nil {
		return nil
	}
	return t.finish(root)
}

// wrap writes a script of a tree that starts a program of it with the tree's own libraries.
func wrap(root, script, program string) error {
	loaders, err := filepath.Glob(filepath.Join(root, "usr/lib/*-linux-gnu/ld-linux-*.so.*"))
	if err != nil || len(loaders) == 0 {
		return errors.Join(errors.New("the packages have no dynamic loader"), err)
	}
	loader, err := filepath.Rel(root, loaders[0])
	if err != nil {
		return err
	}
	return writeScript(root, script, fmt.Sprintf(`exec "$root/%s" --library-path "$root/%s" "$root/%s" "$@"`, loader, filepath.Dir(loader), program))
}

// writeScript writes a script of a tree, for which root is the tree, wherever that was moved.
func writeScript(root, script, command string) error {
	path := filepath.Join(root, script)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	up := strings.Repeat("/..", strings.Count(script, "/"))
	return os.WriteFile(path, fmt.Appendf(nil, "#!/bin/sh\nroot=${0%%/*}%s\n%s\n", up, command), 0o755)
}
