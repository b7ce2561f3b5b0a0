package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// heavy lists what must not get into a static agent, with all below it.
var heavy = []string{
	"compress", "context", "crypto", "debug", "encoding/gob", "encoding/json", "encoding/xml", "flag", "fmt", "hash", "io/fs", "log", "net", "os",
	"path/filepath", "reflect", "regexp", "sort", "testing", "text",
}

// reach finds the heavy packages that a package imports through others, and gives each chain. What x/sys/unix and the allowed packages of the
// standard library import themselves is their affair: the linker drops what is not used.
func reach(imports map[string][]string, from string) (chains []string) {
	seen := map[string]bool{from: true}
	for paths := [][]string{{from}}; len(paths) > 0; paths = paths[1:] {
		for _, next := range imports[paths[0][len(paths[0])-1]] {
			if seen[next] || next == xsys || slices.Contains(allowed, next) {
				continue
			}
			seen[next] = true
			chain := append(slices.Clone(paths[0]), next)
			if isHeavy(next) {
				chains = append(chains, strings.Join(chain, " -> "))
				continue
			}
			paths = append(paths, chain)
		}
	}
	return chains
}

func isHeavy(importPath string) bool {
	return slices.ContainsFunc(heavy, func(h string) bool {
		return importPath == h || strings.HasPrefix(importPath, h+"/")
	})
}

func TestReach(t *testing.T) {
	imports := map[string][]string{
		"light":      {"errors", xsys, "inner"},
		"inner":      {"encoding/binary", "internal/byteorder"},
		"direct":     {"fmt"},
		"third":      {"multierror"},
		"far":        {"inner", "third", "light"},
		"folder":     {"debug/elf"},
		"loop":       {"loop2"},
		"loop2":      {"loop", "nettle", "net/netip"},
		"multierror": {"errwrap", "fmt"},
		"errors":     {"reflect"},
		xsys:         {"os"},
	}
	for from, want := range map[string][]string{
		"light":  nil,
		"direct": {"direct -> fmt"},
		"third":  {"third -> multierror -> fmt"},
		"far":    {"far -> third -> multierror -> fmt"},
		"folder": {"folder -> debug/elf"},
		"loop":   {"loop -> loop2 -> net/netip"},
	} {
		if diff := cmp.Diff(want, reach(imports, from)); diff != "" {
			t.Errorf("%s: chains (-want +got):\n%s", from, diff)
		}
	}
}

// TestNothingHeavyIsReached asks the go command, which knows what each file's build constraints leave.
func TestNothingHeavyIsReached(t *testing.T) {
	imports := listImports(t)
	if len(imports[module+"/sys"]) == 0 {
		t.Fatal("go list does not know package sys")
	}
	for _, from := range slices.Sorted(maps.Keys(imports)) {
		dir, ours := strings.CutPrefix(from, module+"/")
		if !ours || !isLibrary(dir) {
			continue
		}
		for _, chain := range reach(imports, from) {
			t.Error(path.Base(from)+" must not reach ", chain)
		}
	}
}

// listImports gives the imports of each package of the module and of all that they import, without tests.
func listImports(t *testing.T) map[string][]string {
	list := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Imports", "./...")
	list.Dir = "../.."
	list.Stderr = os.Stderr
	out, err := list.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := list.Start(); err != nil {
		t.Fatal(err)
	}
	imports := make(map[string][]string)
	for decoder := json.NewDecoder(out); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		imports[p.ImportPath] = p.Imports
	}
	if err := list.Wait(); err != nil {
		t.Fatal(err)
	}
	return imports
}
