package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/sys"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// TestTwice runs the agent again after it has exited: what is attached is what the first one attached.
func TestTwice(t *testing.T) {
	testenv.Host(t, "the go command")
	cgroup, root, agent := testenv.Cgroup(t), testenv.BPFFS(t), build(t)
	wantPrograms(t, cgroup, 0)
	run(t, agent, cgroup, root)
	first := wantPrograms(t, cgroup, 1)
	run(t, agent, cgroup, root)
	if diff := cmp.Diff(first, wantPrograms(t, cgroup, 1)); diff != "" {
		t.Errorf("program ids by direction (-first +second):\n%s", diff)
	}
	for _, pin := range []string{"maps/packets", "programs/count_ingress", "links/count_ingress", "links/count_egress"} {
		if _, err := os.Stat(filepath.Join(root, "counter", pin)); err != nil {
			t.Errorf("not pinned: %v", err)
		}
	}
}

func TestFails(t *testing.T) {
	testenv.Host(t, "the go command")
	root, agent := testenv.BPFFS(t), build(t)
	before := names(t, root)
	for _, environment := range [][]string{
		{"ROOT=" + root},
		{"CGROUP=" + t.TempDir(), "ROOT=" + root},
		{"CGROUP=" + testenv.Cgroup(t), "ROOT=" + t.TempDir()},
	} {
		command := exec.Command(agent)
		command.Env = environment
		said, err := command.CombinedOutput()
		if err == nil || strings.Count(string(said), "\n") != 1 {
			t.Errorf("environment %q: %v, says %q; want a failure and one line", environment, err, said)
		}
	}
	if diff := cmp.Diff(before, names(t, root)); diff != "" {
		t.Errorf("names on bpffs (-before +after):\n%s", diff)
	}
}

// names lists a directory.
func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	check(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func build(t *testing.T) string {
	t.Helper()
	agent := filepath.Join(t.TempDir(), "agent")
	if said, err := exec.Command("go", "build", "-buildvcs=false", "-o", agent, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, said)
	}
	return agent
}

func run(t *testing.T, agent, cgroup, root string) {
	t.Helper()
	command := exec.Command(agent)
	command.Env = []string{"CGROUP=" + cgroup, "ROOT=" + root}
	if said, err := command.CombinedOutput(); err != nil || len(said) > 0 {
		t.Fatalf("agent: %v\n%s", err, said)
	}
}

// wantPrograms gives the ids of the programs attached to a cgroup, those of incoming packets first, and wants so many each way.
func wantPrograms(t *testing.T, cgroup string, each int) (ids []uint32) {
	t.Helper()
	dir, err := link.OpenCgroup(cgroup)
	check(t, err)
	defer dir.Close()
	for _, attachType := range []sys.AttachType{sys.AttachTypeCgroupInetIngress, sys.AttachTypeCgroupInetEgress} {
		found, err := link.QueryCgroup(dir, attachType)
		check(t, err)
		if len(found.Programs) != each {
			t.Errorf("%s: %d programs, want %d", attachType, len(found.Programs), each)
		}
		for _, program := range found.Programs {
			ids = append(ids, program.ProgramID)
		}
	}
	return ids
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
