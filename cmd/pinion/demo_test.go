package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
)

// demoFiles lists what demos left on the machine: directories of their own, and mounts.
func demoFiles(t *testing.T) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "pinion-demo-*"))
	if err != nil {
		t.Fatal(err)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, "pinion-demo-") {
			left = append(left, line)
		}
	}
	return left
}

// TestDemo runs the demo, which itself makes sure of what it tells, and looks at what is left.
func TestDemo(t *testing.T) {
	testenv.Root(t)
	before := demoFiles(t)
	var out strings.Builder
	if status := run([]string{"demo"}, &out, os.Stderr); status != done {
		t.Fatalf("exit status %d\n%s", status, &out)
	}
	t.Log("\n" + out.String()) // make demo shows this where the demo itself may not run
	wantWords(t, out.String(), "packets in: 5, out: 5", "/counter/maps/packets", "map packets id ", "files on the bpffs: 0", "nothing is left",
		"link count_ingress: switch, gap none", "map packets: keep", "map sockets: new", "none was missed", "generation 2 to 3")
	steps := decode[[]stepInfo](t, "demo")
	if len(steps) != 10 {
		t.Errorf("%d steps, want 10", len(steps))
	}
	processes := make(map[int]bool)
	for _, step := range steps {
		processes[step.PID] = true
	}
	if len(processes) != 7 {
		t.Errorf("%d processes, want that of the story and 6 workers", len(processes))
	}
	if diff := cmp.Diff(before, demoFiles(t)); diff != "" {
		t.Errorf("files and mounts (-before +after):\n%s", diff)
	}
}

// TestDemoLacksPrivilege runs the demo in a process that can get no capabilities.
func TestDemoLacksPrivilege(t *testing.T) {
	testenv.Root(t)
	var said []byte
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // the thread loses capabilities for good, and ends with the goroutine
		for _, capability := range []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN} {
			if err = unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0); err != nil {
				return
			}
		}
		demo := exec.Command("/proc/self/exe", "demo")
		said, err = demo.CombinedOutput()
	}()
	<-ended
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != failed {
		t.Fatalf("%v\n%s", err, said)
	}
	wantLine(t, string(said), "CAP_SYS_ADMIN", "CAP_NET_ADMIN", "sudo pinion demo")
}
