package kernels

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLock has two processes' caches on one directory: the second waits, until the first has closed or its own context ends.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	first, second := &cache{dir: dir}, &cache{dir: dir}
	if err := first.acquire(t.Context(), func() { t.Error("the first waits") }); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := second.acquire(ctx, cancel); !errors.Is(err, context.Canceled) {
		t.Errorf("the second has the lock beside the first, or another error: %v", err)
	}
	waited := false
	err := second.acquire(t.Context(), func() { waited = true; first.close() })
	if err != nil || !waited {
		t.Errorf("after the first has closed: waited %v, error %v", waited, err)
	}
	second.close()
}

// TestBuild wants nothing half done to be seen, and what a killed process has left to go.
func TestBuild(t *testing.T) {
	c := &cache{dir: t.TempDir()}
	if err := os.MkdirAll(c.path("tmp", "left", "tree"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := c.acquire(t.Context(), func() {}); err != nil {
		t.Fatal(err)
	}
	defer c.close()
	fails := errors.New("it fails")
	err := c.build(c.path("a", "bad"), func(dir string) error {
		return errors.Join(os.WriteFile(filepath.Join(dir, "half"), nil, 0o644), fails)
	})
	if !errors.Is(err, fails) {
		t.Errorf("build: %v, want %v", err, fails)
	}
	for range 2 { // the second finds that of the first
		if err := c.build(c.path("a", "good"), func(dir string) error { return os.WriteFile(filepath.Join(dir, "whole"), nil, 0o644) }); err != nil {
			t.Error(err)
		}
	}
	if err := c.note(c.path("b", "line"), "good\n"); err != nil {
		t.Error(err)
	}
	var files []string
	for _, pattern := range []string{"tmp/*", "a/*", "a/*/*", "b/*"} {
		found, err := filepath.Glob(c.path(pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if diff := cmp.Diff([]string{c.path("a", "good"), c.path("a", "good", "whole"), c.path("b", "line")}, files); diff != "" {
		t.Errorf("files of the cache (-want +got):\n%s", diff)
	}
}

// TestArrange takes a kernel as Debian 11 packs it, as 13 does, and as its newest are packed.
func TestArrange(t *testing.T) {
	const r = "6.12.1-amd64"
	want := Kernel{Release: r, Image: "boot/vmlinuz-" + r, Config: "boot/config-" + r, Modules: "lib/modules/" + r}
	for name, files := range map[string][]string{
		"bullseye":        {"boot/vmlinuz-" + r, "boot/config-" + r, "boot/System.map-" + r, "lib/modules/" + r + "/kernel/a.ko"},
		"trixie":          {"boot/vmlinuz-" + r, "boot/config-" + r, "usr/lib/modules/" + r + "/kernel/a.ko"},
		"among modules":   {"usr/lib/modules/" + r + "/vmlinuz", "usr/lib/modules/" + r + "/config", "usr/lib/modules/" + r + "/kernel/a.ko"},
		"without config":  {"boot/vmlinuz-" + r, "lib/modules/" + r + "/kernel/a.ko"},
		"without image":   {"boot/config-" + r, "lib/modules/" + r + "/kernel/a.ko"},
		"without modules": {"boot/vmlinuz-" + r, "boot/config-" + r},
	} {
		from, to := t.TempDir(), t.TempDir()
		for _, file := range files {
			if err := errors.Join(os.MkdirAll(filepath.Join(from, filepath.Dir(file)), 0o755), os.WriteFile(filepath.Join(from, file), nil, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		err := arrange(from, to, r)
		if lacks := strings.HasPrefix(name, "without"); lacks != (err != nil) {
			t.Errorf("%s: error %v", name, err)
		}
		if err != nil {
			continue
		}
		got := kernelIn(to, r)
		for _, path := range []*string{&got.Image, &got.Config, &got.Modules} {
			if *path, err = filepath.Rel(to, *path); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: kernel (-want +got):\n%s", name, diff)
		}
	}
}
