package good

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDouble(t *testing.T) {
	if got := Double(2); got != 4 {
		t.Errorf("Double(2) = %d", got)
	}
}

func TestMounts(t *testing.T) {
	for at, want := range map[string]int64{
		"/proc":                unix.PROC_SUPER_MAGIC,
		"/sys":                 unix.SYSFS_MAGIC,
		"/tmp":                 unix.TMPFS_MAGIC,
		"/sys/fs/bpf":          unix.BPF_FS_MAGIC,
		"/sys/kernel/tracing":  unix.TRACEFS_MAGIC,
		"/sys/kernel/debug":    unix.DEBUGFS_MAGIC,
		"/sys/fs/cgroup":       unix.CGROUP2_SUPER_MAGIC,
		"/sys/kernel/security": unix.SECURITYFS_MAGIC,
	} {
		t.Run(at, func(t *testing.T) {
			var stat unix.Statfs_t
			if err := unix.Statfs(at, &stat); err != nil {
				t.Fatal(err)
			}
			if int64(stat.Type) != want {
				t.Errorf("the file system has the magic number %#x, want %#x", stat.Type, want)
			}
		})
	}
}

func TestLoopback(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestFiles(t *testing.T) {
	for path, want := range map[string]string{
		"testdata/file.txt":                  "from the package's testdata",
		"../../../../testdata/bpf/README.md": "counter",
		"/asked/for/NAME.txt":                "Package good",
		"/proc/sys/kernel/hostname":          "vmtest",
		"/sys/module/dummy/initstate":        "live",
	} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		} else if !strings.Contains(string(data), want) {
			t.Errorf("%s holds %q, want it to have %q", path, data, want)
		}
	}
	if configs, err := filepath.Glob("/boot/config-*"); err != nil || len(configs) == 0 {
		t.Errorf("in /boot there is no configuration: %q, %v", configs, err)
	}
}

func TestTool(t *testing.T) {
	out, err := exec.Command("ip", "-brief", "link", "show", "lo").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "lo") {
		t.Errorf("ip, a program with shared libraries, says %q, %v", out, err)
	}
}

func TestEnvironment(t *testing.T) {
	for name, want := range map[string]string{"PINION_VM": "1", "PINION_NEWEST_KERNEL": "", "COLOUR": "blue=green"} {
		if got := os.Getenv(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
