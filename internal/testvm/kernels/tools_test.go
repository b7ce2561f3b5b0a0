package kernels

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestChooseTools wants all packages from one suite: libraries of another do not fit.
func TestChooseTools(t *testing.T) {
	all := []pkg{
		{name: "a", version: "1", suite: "trixie"}, {name: "a", version: "2", suite: "sid"},
		{name: "b", version: "1.1", suite: "trixie"}, {name: "b", version: "1.2", suite: "trixie"}, {name: "c", version: "1", suite: "sid"},
	}
	got, err := toolset{packages: []string{"b", "a"}}.choose(all, "trixie")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]pkg{all[3], all[0]}, got, cmp.AllowUnexported(pkg{})); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	if _, err := (toolset{packages: []string{"a", "c"}}).choose(all, "trixie"); err == nil || err.Error() != "suite trixie has no package c" {
		t.Errorf("a package of another suite: error %v", err)
	}
}

// TestScript wants a script of a tree to find the tree where it was moved to, from any directory.
func TestScript(t *testing.T) {
	dir := t.TempDir()
	built, moved := filepath.Join(dir, "built"), filepath.Join(dir, "moved, with space")
	if err := writeScript(built, "a/b/c", `cat "$root/file" "$@"`); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(built, "file"), []byte("of the tree"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(built, moved); err != nil {
		t.Fatal(err)
	}
	if got, err := output(exec.CommandContext(t.Context(), filepath.Join(moved, "a/b/c"), "/dev/null")); err != nil || string(got) != "of the tree" {
		t.Errorf("the script says %q, %v", got, err)
	}
}

func TestNamePorts(t *testing.T) {
	got, err := namePorts("first\nuser_cmd=$(sed -ne x)\nlast\n")
	if err != nil || !strings.HasPrefix(got, "first\nmkdir -p /dev/virtio-ports\n") || !strings.HasSuffix(got, "done\n\nuser_cmd=$(sed -ne x)\nlast\n") {
		t.Errorf("with the names of ports: %q, %v", got, err)
	}
	for _, other := range []string{"", "user_cmd=$(sed a)\nuser_cmd=$(sed b)\n"} {
		if got, err := namePorts(other); err == nil {
			t.Errorf("another script became %q", got)
		}
	}
}

// TestDepmod runs the depmod of Debian's package, which machines without one get, from the cache.
func TestDepmod(t *testing.T) {
	s, err := Finder{Log: t.Output()}.search()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	root, err := s.tree(t.Context(), kmod())
	if err != nil {
		t.Fatal(err)
	}
	said, err := output(exec.CommandContext(t.Context(), filepath.Join(root, "bin", "depmod"), "--version"))
	if err != nil || !strings.HasPrefix(string(said), "kmod version ") {
		t.Errorf("depmod --version says %q, %v", said, err)
	}
}

// TestVirtmeNGIsMissing wants to be told what to install where neither virtme-ng nor what fetches it is there.
func TestVirtmeNGIsMissing(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	for _, c := range []struct{ program, want string }{
		{"", "virtme-ng is a Python program: install python3, or run with the back end qemu: "},
		{"python3", "virtme-ng is not installed with all that it needs, and could not be had: " + errNoApt.Error() +
			" (apt-get is missing); install virtme-ng, virtiofsd, busybox-static and udev, or run with the back end qemu"},
		{"vng", "virtme-ng is not installed with all that it needs, and could not be had: "}, // Debian's init needs udev, and small kernels virtiofsd
	} {
		if c.program != "" {
			if err := writeScript(bin, c.program, "exit 1"); err != nil {
				t.Fatal(err)
			}
		}
		program, err := Finder{}.VirtmeNG(t.Context())
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("with %q: program %v, error %v\nwant %s", c.program, program, err, c.want)
		}
	}
}
