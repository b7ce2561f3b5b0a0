package kernels

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// searching gives a search whose archive has packages, and whose cache is empty. It has no network to ask.
func searching(t *testing.T, packages ...pkg) *search {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	s, err := Finder{Log: t.Output()}.search()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	s.arch, s.apt.arch = "amd64", "amd64"
	if err := s.apt.configure(t.Context(), s.matrix.suites); err != nil {
		t.Fatal(err)
	}
	s.all, s.ready, s.updated = packages, true, true
	return s
}

// image makes a package with a kernel, or with a part of one.
func image(t *testing.T, release, version string, files ...string) pkg {
	t.Helper()
	name := "linux-image-" + release
	dir := t.TempDir()
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: none <none@example.org>\nDescription: none\n", name, version)
	write(t, filepath.Join(dir, "DEBIAN/control"), control)
	for _, path := range files {
		write(t, filepath.Join(dir, path), "")
	}
	file := filepath.Join(t.TempDir(), "a.deb")
	if _, err := output(exec.CommandContext(t.Context(), "dpkg-deb", "-b", dir, file)); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return pkg{name: name, version: version, url: "copy:" + file, sha256: fmt.Sprintf("%x", sha256.Sum256(data))}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func whole(t *testing.T, release, version string) pkg {
	t.Helper()
	return image(t, release, version, "boot/vmlinuz-"+release, "boot/config-"+release, "lib/modules/"+release+"/modules.dep")
}

// lost makes a package that the archive lists and does not have.
func lost(release, version string) pkg {
	return pkg{name: "linux-image-" + release, version: version, url: "copy:/nonexistent/" + version, sha256: strings.Repeat("0", 64)}
}

// TestFallsBack wants the newest version that downloads, is what the list says and holds a kernel; and the cache to have it then.
func TestFallsBack(t *testing.T) {
	tampered := whole(t, "6.12.4-cloud-amd64", "6.12.4-1")
	tampered.sha256 = strings.Repeat("0", 64)
	s := searching(t,
		whole(t, "6.12.9-amd64", "6.12.9-1"), // not of the flavour that is preferred
		whole(t, "6.12.1-cloud-amd64", "6.12.1-1"),
		whole(t, "6.12.2-cloud-amd64", "6.12.2-1"),
		image(t, "6.12.3-cloud-amd64", "6.12.3-1", "boot/config-6.12.3-cloud-amd64"),
		tampered,
		lost("6.12.5-cloud-amd64", "6.12.5-1"),
		whole(t, "6.13.1-cloud-amd64", "6.13.1-1"),
	)
	for _, c := range []struct{ name, line, release string }{
		{"6.12", "6.12", "6.12.2-cloud-amd64"}, {newest, "6.13", "6.13.1-cloud-amd64"},
	} {
		k, err := s.kernel(t.Context(), line{name: c.name, required: true})
		if err != nil || k.Line != c.line || k.Release != c.release || k.Newest != (c.name == newest) {
			t.Errorf("line %s: kernel %+v, error %v, want %s", c.name, k, err, c.release)
		}
	}
	if k, ok := s.cached("6.12"); !ok || k.Release != "6.12.2-cloud-amd64" || k.Newest {
		t.Errorf("the cache has %+v, %v", k, ok)
	}
	if left, err := filepath.Glob(s.cache.path("tmp", "*")); err != nil || len(left) > 0 {
		t.Errorf("left half done: %v, %v", left, err)
	}
}

// TestRefresh wants a newer version than that of the cache only when it is asked for.
func TestRefresh(t *testing.T) {
	s := searching(t, whole(t, "6.12.1-cloud-amd64", "6.12.1-1"))
	for _, c := range []struct {
		refresh bool
		release string
	}{
		{false, "6.12.1-cloud-amd64"}, {false, "6.12.1-cloud-amd64"}, {true, "6.12.2-cloud-amd64"}, {true, "6.12.2-cloud-amd64"},
	} {
		s.Refresh = c.refresh
		k, err := s.kernel(t.Context(), line{name: "6.12"})
		if err != nil || k.Release != c.release {
			t.Errorf("with refresh %v: kernel %+v, error %v, want %s", c.refresh, k, err, c.release)
		}
		s.all = append(s.all, whole(t, "6.12.2-cloud-amd64", "6.12.2-1"))
	}
}

// TestNoneCanBeHad wants to be told of every version that was tried, and of lists that are not complete.
func TestNoneCanBeHad(t *testing.T) {
	s := searching(t, lost("6.12.5-cloud-amd64", "6.12.5-1"), lost("6.12.6-amd64", "6.12.6-1"))
	s.apt.said = "a suite is gone"
	_, err := s.kernel(t.Context(), line{name: "6.12"})
	if err == nil {
		t.Fatal("what cannot be had was found")
	}
	for _, part := range []string{
		"the 2 that were tried could not be had: 6.12.5-cloud-amd64 (6.12.5-1): apt-helper: exit status 100: ", "6.12.6-amd64 (6.12.6-1): ",
		"; the package lists are not complete: a suite is gone; check the network",
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %v\nwant it to have %q", err, part)
		}
	}
	_, err = s.kernel(t.Context(), line{name: "4.19"})
	if err == nil || !strings.HasPrefix(err.Error(), "none of "+strings.Join(s.matrix.suites, ", ")+" has it; ") {
		t.Errorf("a line that nobody has: error %v", err)
	}
}
