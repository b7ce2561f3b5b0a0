package kernels

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseMirrors(t *testing.T) {
	recorded, err := os.ReadFile("testdata/indextargets")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, targets string
		want          mirrors
	}{
		{"recorded", string(recorded), mirrors{"http://mirror.example/debian/", "http://mirror.example/debian-security/"}},
		{"by class", "vendor http://other.example/x/\nstable-security http://s.example/\nstable http://m.example/debian", mirrors{"http://m.example/debian", "http://s.example/"}},
		{"as it was", "buster/updates http://s.example/\nsid http://m.example/debian/", mirrors{"http://m.example/debian/", "http://m.example/debian-security"}},
		{"without security", "sid http://m.example/debian/\n", mirrors{"http://m.example/debian/", "http://m.example/debian-security"}},
	} {
		got, err := parseMirrors(c.targets, []string{"bookworm", "bookworm-security", "sid"})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(mirrors{})); diff != "" {
			t.Errorf("%s: mirrors (-want +got):\n%s", c.name, diff)
		}
	}
	for _, targets := range []string{"", "noble http://ubuntu.example/ubuntu/\nnoble-security http://ubuntu.example/ubuntu/\n"} {
		if m, err := parseMirrors(targets, []string{"bookworm"}); err == nil {
			t.Errorf("parseMirrors(%q) = %v, want an error", targets, m)
		}
	}
}

func TestSources(t *testing.T) {
	got := mirrors{"http://m.example/debian/", "http://s.example/"}.sources([]string{"bullseye", "bullseye-security"})
	want := "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg target=Packages] http://m.example/debian/ bullseye main\n" +
		"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg target=Packages] http://s.example/ bullseye-security main\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sources.list (-want +got):\n%s", diff)
	}
}

func TestComplaints(t *testing.T) {
	said := "Err:1 http://m.example/debian/pool/a.deb\n  404  Not Found\nE: Failed to fetch http://m.example/debian/pool/a.deb  404  Not Found\nE: Download Failed\n"
	if got, want := complaints(said), "Failed to fetch http://m.example/debian/pool/a.deb  404  Not Found; Download Failed"; got != want {
		t.Errorf("complaints: %q, want %q", got, want)
	}
	if got, want := complaints("dpkg-deb: error: no archive\n\n"), "dpkg-deb: error: no archive"; got != want {
		t.Errorf("complaints: %q, want %q", got, want)
	}
	_, err := output(exec.Command("sh", "-c", "echo W: slow >&2; exit 3"))
	if err == nil || !strings.HasSuffix(err.Error(), "sh: exit status 3: slow") {
		t.Errorf("error %v, want exit status 3 and what was said", err)
	}
}

// TestDownloadChecks wants a file to be refused that is not the one that the signed list tells of.
func TestDownloadChecks(t *testing.T) {
	source := filepath.Join(t.TempDir(), "a.deb")
	if err := os.WriteFile(source, []byte("a package"), 0o644); err != nil {
		t.Fatal(err)
	}
	a := apt{dir: t.TempDir(), arch: "amd64"}
	if err := a.configure(t.Context(), []string{"bookworm", "trixie", "sid"}); err != nil {
		t.Fatal(err)
	}
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte("a package")))
	good := pkg{name: "a", url: "copy:" + source, sha256: sum}
	files, err := a.download(t.Context(), []pkg{good}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(files[0]); err != nil || string(text) != "a package" {
		t.Errorf("downloaded %q, error %v", text, err)
	}
	bad := good
	bad.sha256 = strings.Repeat("0", len(sum))
	if _, err := a.download(t.Context(), []pkg{bad}, t.TempDir()); err == nil || !strings.Contains(err.Error(), "Hash Sum mismatch") {
		t.Errorf("a file with another hash: error %v", err)
	}
}
