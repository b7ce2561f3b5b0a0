package kernels

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recorded reads testdata/packages, which has the kernels' packages of some suites, as the archive had them in November 2026.
func recorded(t *testing.T) (all []pkg) {
	t.Helper()
	files, err := filepath.Glob("testdata/packages/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded lists: %v", err)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		found, err := parseIndex(f, filepath.Base(file), "http://mirror.example/debian/", isKernelPackage)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}

func TestParseIndex(t *testing.T) {
	text := "Package: a\nVersion: 1\nDescription: of a\n Version: 2\nFilename: pool/a.deb\nSHA256: 01\n\n" +
		"Package: unhashed\nVersion: 1\nFilename: pool/u.deb\n\n" +
		"Package: other\nVersion: 1\nFilename: pool/o.deb\nSHA256: 02\n\n\n" +
		"Package: b\nVersion: 1\nDepends: c (= 1), d\nFilename: pool/b.deb\nSHA256: 03"
	got, err := parseIndex(strings.NewReader(text), "sid", "http://mirror.example/debian/", func(name string) bool { return name != "other" })
	if err != nil {
		t.Fatal(err)
	}
	want := []pkg{
		{name: "a", version: "1", url: "http://mirror.example/debian/pool/a.deb", sha256: "01", suite: "sid"},
		{name: "b", version: "1", depends: "c (= 1), d", url: "http://mirror.example/debian/pool/b.deb", sha256: "03", suite: "sid"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(pkg{})); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
}

// TestCandidates wants the small flavour first, the newest first, packages that are split whole, both signed and not, and no other package.
func TestCandidates(t *testing.T) {
	type kernel struct {
		Release, Version string
		Sets             [][]string
	}
	var got []kernel
	for _, c := range candidates(recorded(t), "amd64") {
		k := kernel{Release: c.release, Version: c.version}
		for _, set := range c.sets {
			var names []string
			for _, p := range set {
				names = append(names, p.name)
			}
			k.Sets = append(k.Sets, names)
		}
		got = append(got, k)
	}
	var want []kernel
	for _, flavour := range []string{"-cloud-amd64", "-amd64"} {
		split := func(release, version string) kernel {
			r := release + flavour
			return kernel{r, version, [][]string{
				{"linux-image-" + r, "linux-base-" + r, "linux-binary-" + r, "linux-modules-" + r},
				{"linux-image-" + r, "linux-base-" + r, "linux-binary-unsigned-" + r, "linux-modules-" + r},
			}}
		}
		both := func(release, version string) kernel {
			r := release + flavour
			return kernel{r, version, [][]string{{"linux-image-" + r}, {"linux-image-" + r + "-unsigned"}}}
		}
		signed := func(release, version string) kernel {
			return kernel{release + flavour, version, [][]string{{"linux-image-" + release + flavour}}}
		}
		want = append(want,
			split("7.3.4+deb13", "7.3.4-1~bpo13+1"),
			split("7.2.13+deb14", "7.2.13-1"),
			signed("6.18.15+deb13", "6.18.15-1~bpo13+1"), // the archive has lost linux-base, which it depends on
			both("6.12.95+deb12", "6.12.95-1~bpo12+1"),
			signed("6.12.90+deb12.1", "6.12.90-2~bpo12+1"),
			signed("6.12.90+deb12", "6.12.90-1~bpo12+1"),
			both("6.1.0-50", "6.1.176-1"),
			both("5.10.0-46", "5.10.262-1"),
			both("5.10.0-45", "5.10.259-1"),
		)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("candidates (-want +got):\n%s", diff)
	}
}

func TestIsStableImage(t *testing.T) {
	for name, want := range map[string]bool{
		"linux-image-6.18+deb14-amd64":              true,
		"linux-image-7.3.4+deb13-cloud-amd64":       true,
		"linux-image-6.1.0-0.deb11.52-cloud-amd64":  true,
		"linux-image-7.3-rc4-amd64":                 false,
		"linux-image-7.3-rc4-cloud-amd64-unsigned":  false,
		"linux-image-6.1-cloud-amd64":               false,
		"linux-image-cloud-amd64":                   false,
		"linux-image-6.1.0-50-rt-amd64":             false,
		"linux-image-6.1.0-50-cloud-arm64":          false,
		"linux-image-6.12.107+deb13-amd64-dbg":      false,
		"linux-headers-6.12.107+deb13-amd64":        false,
		"linux-image-6.12.107+deb13-cloud-amd64-dg": false,
	} {
		found := candidates([]pkg{{name: name, version: "1"}}, "amd64")
		if got := len(found) == 1; got != want {
			t.Errorf("%s is a stable kernel for amd64: %v, want %v", name, got, want)
		}
	}
}

func TestFindNewest(t *testing.T) {
	packages := []pkg{{name: "a", version: "1.9"}, {name: "a", version: "1.10"}, {name: "b", version: "2"}}
	if p := find(packages, "a", ""); p == nil || p.version != "1.10" {
		t.Errorf("the newest a is %v, want 1.10", p)
	}
	if p := find(packages, "a", "1.9"); p == nil || p.version != "1.9" {
		t.Errorf("a 1.9 is %v", p)
	}
	if p := find(packages, "a", "2"); p != nil {
		t.Errorf("a 2 is %v, want none", p)
	}
}
