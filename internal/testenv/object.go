package testenv

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Object says that the test loads an object of testdata/bpf, and skips it on a kernel older than the object needs: the table in the README
// there says which that is. dir is the folder's path.
func Object(t testing.TB, dir, name string) {
	t.Helper()
	version, err := objectKernel(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	if version != "" {
		Kernel(t, version, "object "+name)
	}
}

// objectKernel looks a name up in the table: lines of "| `name`, `name` | purpose | kernel, more | with libbpf |". It is "" for an object that is not
// in the table, which has builds for other machines, or that no kernel takes.
func objectKernel(dir, name string) (version string, err error) {
	table, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		return "", err
	}
	row := regexp.MustCompile("(?m)^\\|[^|]*`" + regexp.QuoteMeta(name) + "`[^|]*\\|[^|]*\\| *([0-9]+\\.[0-9]+)")
	if found := row.FindSubmatch(table); found != nil {
		version = string(found[1])
	}
	return version, nil
}
