package main

import (
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/sys"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// pin makes an array of one value, pinned on a bpffs of the test's own.
func pin(t *testing.T, value uint64, valueSize uint32) string {
	t.Helper()
	path := filepath.Join(testenv.BPFFS(t), "packets")
	fd, err := sys.MapCreate(&sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: valueSize, MaxEntries: 1})
	check(t, err)
	defer fd.Close()
	contents := make([]byte, valueSize)
	binary.NativeEndian.PutUint64(contents, value)
	check(t, sys.MapUpdateElem(&sys.MapElemAttr{MapFD: fd.Attr(), Key: sys.Slice(make([]byte, 4)), Value: sys.Slice(contents)}))
	name, err := sys.CString(path)
	check(t, err)
	check(t, sys.ObjPin(&sys.ObjAttr{Pathname: name, BPFFD: fd.Attr()}))
	return path
}

// TestPrints runs the command and its twin: they are compared in size, so they must do the same.
func TestPrints(t *testing.T) {
	testenv.Host(t, "the go command")
	path := pin(t, 1<<40+7, 8)
	for _, folder := range []string{".", "../reader_bare"} {
		binary := filepath.Join(t.TempDir(), "reader")
		if said, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, folder).CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", folder, err, said)
		}
		if said, err := run(binary, path); err != nil || string(said) != "1099511627783\n" {
			t.Errorf("%s says %q, %v; want 1099511627783", folder, said, err)
		}
		said, err := run(binary, path+"_none")
		if err == nil || !strings.Contains(string(said), path+"_none: no such file") {
			t.Errorf("%s says of a pin that is not there: %q, %v", folder, said, err)
		}
	}
}

// run gives all that the command says.
func run(binary, pin string) ([]byte, error) {
	command := exec.Command(binary)
	command.Env = []string{"PIN=" + pin}
	return command.CombinedOutput()
}

func TestReadFails(t *testing.T) {
	if _, err := read(pin(t, 1, 16)); !errors.Is(err, unix.EINVAL) {
		t.Errorf("a map with larger values: %v, want EINVAL", err)
	}
	if _, err := read(testenv.BPFFS(t)); err == nil {
		t.Error("a directory: no error")
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
