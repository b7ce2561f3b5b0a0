package both

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/sys"
)

// TestMap makes a map, and finds it again where it is pinned.
func TestMap(t *testing.T) {
	fd, err := sys.MapCreate(&sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer fd.Close()
	var stat unix.Statfs_t
	if err := unix.Statfs("/sys/fs/bpf", &stat); err != nil || stat.Type != unix.BPF_FS_MAGIC {
		t.Errorf("/sys/fs/bpf has the magic number %#x (%v), want that of bpffs", stat.Type, err)
	}
}

// TestMachine holds what a machine offers against what testvm promises of it.
func TestMachine(t *testing.T) {
	t.Run("loopback", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listener.Close()
	})
	t.Run("module", func(t *testing.T) {
		if _, err := os.Stat("/sys/module/dummy"); err != nil {
			t.Error(err)
		}
	})
	t.Run("config", func(t *testing.T) {
		release, err := testenv.Release()
		if err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(filepath.Join("/boot", "config-"+release)); err != nil || !strings.Contains(string(text), "\nCONFIG_BPF=y\n") {
			t.Errorf("the kernel's configuration has no CONFIG_BPF, or cannot be read: %v", err)
		}
	})
	t.Run("testdata", func(t *testing.T) {
		if text, err := os.ReadFile("testdata/file.txt"); err != nil || string(text) != "of the package\n" {
			t.Errorf("testdata has %q, %v", text, err)
		}
	})
	t.Run("environment", func(t *testing.T) {
		for name, want := range map[string]string{"PINION_VM": "1", "COLOUR": "blue", "HOME": "/root"} {
			if got := os.Getenv(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	})
}

func TestSkip(t *testing.T) { testenv.Kernel(t, "99.0", "travel in time") }

func TestFail(t *testing.T) {
	t.Run("sub", func(t *testing.T) { t.Errorf("have %d, want %d", 1, 2) })
}
