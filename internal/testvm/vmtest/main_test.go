package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args   []string
		status int
		word   string
	}{
		{[]string{"-h"}, passed, "usage: vmtest"},
		{[]string{"-x"}, misused, "-x"},
		{[]string{"-b", "vmware"}, misused, `"vmware"`},
		{[]string{"-env", "A"}, misused, "K=V"},
		{[]string{"-timeout", "long"}, misused, "-timeout"},
	} {
		var out, errOut bytes.Buffer
		status := run(t.Context(), c.args, &out, &errOut)
		if status != c.status || !strings.Contains(errOut.String(), c.word) {
			t.Errorf("vmtest %q: exit status %d, says %q; want %d, %q", c.args, status, &errOut, c.status, c.word)
		}
	}
}

// TestInterrupt stops the command while a machine runs, and looks for what is left: every path that it gives a process is below TMPDIR.
func TestInterrupt(t *testing.T) {
	dir := t.TempDir()
	program, temp := filepath.Join(dir, "vmtest"), filepath.Join(dir, "temp")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Mkdir(temp, 0o700); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command(program, "-k", "6.12", "../testdata/bad_hang")
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(2 * time.Minute); len(processes(t, temp, "qemu")) == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no machine was started: %s", &said)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != failed {
		t.Errorf("vmtest was interrupted: %v, want exit status 1", err)
	}
	if left := processes(t, temp, ""); len(left) > 0 {
		t.Errorf("processes are left: %q", left)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
}

// processes gives the command lines of processes that name both.
func processes(t *testing.T, path, word string) (found []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err == nil && bytes.Contains(line, []byte(path)) && bytes.Contains(line, []byte(word)) {
			found = append(found, string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
		}
	}
	return found
}
