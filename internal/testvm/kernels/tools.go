package kernels

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// toolPackages hold depmod and all the libraries that it loads, so that it runs whatever the machine has.
var toolPackages = []string{"kmod", "libkmod2", "liblzma5", "libzstd1", "libssl3t64", "zlib1g", "libc6"}

// tool gives the command for a program of kmod: the machine's, else Debian's from the cache.
func (s *search) tool(ctx context.Context, name string) ([]string, error) {
	for _, path := range []string{name, "/usr/sbin/" + name, "/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return []string{found}, nil
		}
	}
	root, err := s.toolTree(ctx, toolPackages)
	if err != nil {
		return nil, fmt.Errorf("%s is missing, and could not be had: %w; install kmod", name, err)
	}
	return inTree(root, filepath.Join(root, "usr/sbin", name))
}

// toolTree unpacks packages of the suite for tools into a directory of the cache, all of them from that suite, as they fit together. The first names it.
func (s *search) toolTree(ctx context.Context, names []string) (string, error) {
	if err := s.read(ctx, false); err != nil {
		return "", err
	}
	var ofSuite, set []pkg
	for _, p := range s.all {
		if p.suite == s.matrix.tools {
			ofSuite = append(ofSuite, p)
		}
	}
	for _, name := range names {
		p := find(ofSuite, name, "")
		if p == nil {
			return "", fmt.Errorf("suite %s has no package %s", s.matrix.tools, name)
		}
		set = append(set, *p)
	}
	root := s.cache.path("tools", s.arch, strings.ReplaceAll(set[0].String(), "/", ""))
	if existing(root) != "" {
		return root, nil
	}
	s.say("kernels: downloading %v", set)
	return root, s.cache.build(root, func(dir string) error { return s.unpack(ctx, set, dir) })
}

// inTree gives the command that runs a program of an unpacked tree with the tree's own libraries.
func inTree(root, program string) ([]string, error) {
	loaders, _ := filepath.Glob(filepath.Join(root, "usr/lib/*-linux-gnu/ld-linux-*.so.*"))
	if len(loaders) == 0 {
		return nil, errors.New("the tree " + root + " has no dynamic loader")
	}
	return []string{loaders[0], "--library-path", filepath.Dir(loaders[0]), program}, nil
}
