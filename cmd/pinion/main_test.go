package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/internal/testenv"
)

// TestMain is the command itself where the demo, or a test that kills it, starts it again.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (strings.HasPrefix(os.Args[1], "demo") || os.Args[1] == "-root") {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(testenv.Main(m))
}

const objects = "../../testdata/bpf/"

// pinion runs a command, and wants it to end with a status and to say something of errors only if it is not 0.
func pinion(t *testing.T, status int, args ...string) (out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	if got := run(args, &o, &e); got != status {
		t.Fatalf("pinion %q: exit status %d, want %d\n%s%s", args, got, status, &o, &e)
	}
	if (e.Len() > 0) != (status != done) {
		t.Fatalf("pinion %q: exit status %d, and says on standard error: %q", args, status, &e)
	}
	return o.String(), e.String()
}

// decode runs a command with -json and reads what it says.
func decode[T any](t *testing.T, args ...string) (result T) {
	t.Helper()
	out, _ := pinion(t, done, append(args, "-json")...)
	decoder := json.NewDecoder(strings.NewReader(out))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&result); err != nil {
		t.Fatalf("pinion %q: %v\n%s", args, err, out)
	}
	return result
}

// wantLine wants a text of one line with each of the words.
func wantLine(t *testing.T, text string, words ...string) {
	t.Helper()
	if strings.Count(text, "\n") != 1 {
		t.Errorf("says %q, want one line", text)
	}
	wantWords(t, text, words...)
}

func wantWords(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("says %q, want it to name %q", text, word)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args  []string
		words []string
	}{
		{nil, []string{"no command", "pinion help"}},
		{[]string{"lod"}, []string{`"lod"`, "pinion help"}},
		{[]string{"-x", "ls"}, []string{"-x", "pinion help tells"}},
		{[]string{"ls", "-x"}, []string{"-x", "pinion help ls"}},
		{[]string{"unpin", "-wait", "long", "x"}, []string{`"long"`, "pinion help unpin"}},
		{[]string{"ls", "-root", "pins"}, []string{`-root "pins"`, "no absolute path", "pinion help ls"}},
		{[]string{"-root", "", "show", "x"}, []string{`-root ""`, "pinion help show"}},
		{[]string{"plan", "-root", "/sys/fs/../fs/bpf", objects + "xdp.bpf.o"}, []string{"..", "pinion help plan"}},
		{[]string{"ls", "a"}, []string{"too many", `"a"`, "pinion help ls"}},
		{[]string{"inspect"}, []string{"too few", "pinion help inspect"}},
		{[]string{"show", "--", "-json", "b"}, []string{"too many", `"b"`}},
		{[]string{"load", "-name", "x", "a.o", "b.o"}, []string{"-name"}},
		{[]string{"upgrade", "flow"}, []string{"too few", "pinion help upgrade"}},
		{[]string{"upgrade", "flow", "a.o", "b.o"}, []string{"too many", `"b.o"`}},
		{[]string{"upgrade", "-instance", "eth0", "flow@eth1", "a.o"}, []string{`"flow@eth1"`, "-instance", "pinion help upgrade"}},
		{[]string{"upgrade", "-map", "flows", "flow", "a.o"}, []string{"-map", `"flows"`, "flows=migrate"}},
		{[]string{"upgrade", "-map", "=any", "flow", "a.o"}, []string{"-map", "flows=migrate"}},
		{[]string{"upgrade", "-map", "flows=grow", "flow", "a.o"}, []string{`"grow"`, "recreate, migrate, at-least and any"}},
		{[]string{"upgrade", "-map", "flows=any,", "flow", "a.o"}, []string{`""`, "no policy"}},
		{[]string{"upgrade", "-map", "flows=any,at-least", "flow", "a.o"}, []string{"exclude each other"}},
		{[]string{"upgrade", "-map", "flows=migrate,recreate", "flow", "a.o"}, []string{"recreate goes with no other"}},
		{[]string{"upgrade", "-map", "flows=any", "-map", "flows=migrate", "flow", "a.o"}, []string{"flows has a policy already"}},
		{[]string{"upgrade", "-map", "flows=any", "raw_tp", objects + "raw_tp.bpf.o"}, []string{"-map flows", "no such map", "pinion help upgrade"}},
		{[]string{"rollback"}, []string{"too few", "pinion help rollback"}},
		{[]string{"rollback", "-wait", "long", "x"}, []string{`"long"`, "pinion help rollback"}},
		{[]string{"recover", "x"}, []string{"too many", `"x"`, "pinion help recover"}},
		{[]string{"gc", "x"}, []string{"too many", `"x"`, "pinion help gc"}},
		{[]string{"help", "lod"}, []string{`"lod"`}},
		{[]string{"demo-worker", "-root", testenv.BPFFS(t), "dance"}, []string{`"dance"`}},
	} {
		_, said := pinion(t, misused, c.args...)
		wantLine(t, said, c.words...)
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"-h"}} {
		out, _ := pinion(t, done, args...)
		for _, cmd := range commands() {
			if listed := strings.Contains(out, "\n  "+cmd.name+" "); listed != (cmd.does != "") {
				t.Errorf("pinion %q lists %s: %v", args, cmd.name, listed)
			}
		}
	}
	for _, args := range [][]string{{"help", "load"}, {"load", "-h"}} {
		out, _ := pinion(t, done, args...)
		wantWords(t, out, "usage: pinion load [-name N]", "-no-pin", "-root")
	}
	checkHelpOfCommands(t)
}

// checkHelpOfCommands: usage shows every flag of a command with the placeholder that its help has, but for the global flags.
func checkHelpOfCommands(t *testing.T) {
	t.Helper()
	for _, cmd := range commands() {
		out, _ := pinion(t, done, "help", cmd.name)
		for _, line := range strings.Split(out, "\n") {
			flag, found := strings.CutPrefix(line, "  -")
			flag = "-" + strings.Split(flag, "\t")[0]
			if !found || flag == "-root DIR" || flag == "-json" {
				continue
			}
			if !strings.Contains(cmd.args, "["+flag+"]") {
				t.Errorf("usage of %s, %q, lacks [%s]", cmd.name, cmd.args, flag)
			}
		}
	}
}

// TestGlobalFlags gives them before the command, after it, and after its arguments.
func TestGlobalFlags(t *testing.T) {
	root := testenv.BPFFS(t)
	want, _ := pinion(t, done, "-root", root, "-json", "plan", objects+"raw_tp.bpf.o")
	wantWords(t, want, root, "{")
	for _, args := range [][]string{
		{"plan", "-root", root, "-json", objects + "raw_tp.bpf.o"},
		{"plan", objects + "raw_tp.bpf.o", "-json", "-root", root},
		{"-root", "/elsewhere", "plan", "-json", "-root", root, "--", objects + "raw_tp.bpf.o"},
	} {
		got, _ := pinion(t, done, args...)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pinion %q (-want +got):\n%s", args, diff)
		}
	}
}

// TestRootIsNoBPFFS: every command that needs one says what to mount.
func TestRootIsNoBPFFS(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{"ls"}, {"show", "x"}, {"unpin", "x"}, {"plan", objects + "raw_tp.bpf.o"}, {"load", objects + "raw_tp.bpf.o"}, {"upgrade", "x", objects + "raw_tp.bpf.o"},
		{"rollback", "x"}, {"recover"}, {"gc"},
	} {
		_, said := pinion(t, failed, append(args, "-root", dir)...)
		wantLine(t, said, dir, "not on a bpffs", "mount -t bpf")
	}
}

// truncated writes the first half of an object.
func truncated(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(objects + "counter.bpf.o")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "half.bpf.o")
	if err := os.WriteFile(path, data[:len(data)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
