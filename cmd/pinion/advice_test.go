package main

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/sys"
)

// goNames finds what looks like a name of Go in a message: pkg.Name, CamelCase, or something that is to be set.
var goNames = regexp.MustCompile(`\b[A-Z][a-z]\w*\.[A-Z]\w+|\b[A-Z][a-z]{2,}[A-Z]\w*|\bset (its )?[A-Z]\w+`)

// unreached are messages of the library that no command can get.
var unreached = []string{
	"says nothing: set Path or Skip",           // -flat gives paths only
	"is no map, program or link: set its Kind", // the same
	"open it with OpenCgroup",                  // no command attaches to cgroups
	"use AttachTo",                             // of objects that were opened, which no command attaches
	"bytes of Data, but its ValueSize is",      // a file gives both alike
	"set LoadOptions.KernelTypes",              // load gives them where they are needed
	"set LoadOptions.Kconfig",                  // the same
	"set no AttachProgram",                     // no command sets one
	"but its externs have",                     // a file gives both alike
}

// TestMessages wants every message of the library that names something of Go to have its words for the command line, or to be unreached.
func TestMessages(t *testing.T) {
	testenv.Host(t, "the library's source")
	c, used := &call{root: defaultRoot}, make(map[string]bool)
	for _, message := range messages(t) {
		known := func(words string) bool {
			has := strings.Contains(message, words)
			used[words] = used[words] || has
			return has
		}
		for i := 0; i < len(goWords()); i += 2 {
			known(goWords()[i])
		}
		said := c.tell(errors.New(message))
		if goNames.MatchString(said) && !slices.ContainsFunc(unreached, known) {
			t.Errorf("%q names %q: give it other words in goWords, or put it into unreached", said, goNames.FindString(said))
		}
	}
	for i, words := range append(goWords(), unreached...) {
		if (i >= len(goWords()) || i%2 == 0) && !used[words] {
			t.Errorf("no message says %q any more", words)
		}
	}
}

// messages gives the string literals of the library.
func messages(t *testing.T) (all []string) {
	t.Helper()
	for _, folder := range []string{"elf", "internal/btf", "link", "object", "pinning", "sys"} {
		files, err := filepath.Glob("../../" + folder + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("no source in %s: %v", folder, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(syntax, func(n ast.Node) bool {
				if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					if message, err := strconv.Unquote(literal.Value); err == nil {
						all = append(all, message)
					}
				}
				return true
			})
		}
	}
	return all
}

// TestBusy: who finds an object locked is told of the flag.
func TestBusy(t *testing.T) {
	root := testenv.BPFFS(t)
	pinion(t, done, "load", "-root", root, objects+"raw_tp.bpf.o")
	if err := os.Mkdir(root+"/%stage-raw_tp", 0o700); err != nil {
		t.Fatal(err)
	}
	dir, err := os.Open(root + "/%stage-raw_tp")
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"unpin", "raw_tp"}, {"unpin", "-wait", "1ms", "raw_tp"}, {"upgrade", "raw_tp", objects + "tracepoint.bpf.o"}, {"rollback", "-wait", "1ms", "raw_tp"},
	} {
		_, said := pinion(t, failed, append(args, "-root", root)...)
		wantLine(t, said, "busy", root+"/%stage-raw_tp", "(wait for it with -wait 10s)")
	}
}

// TestNoSuchObject: what is not pinned is looked for in a list.
func TestNoSuchObject(t *testing.T) {
	root := testenv.BPFFS(t)
	for _, command := range []string{"show", "unpin", "rollback"} {
		_, said := pinion(t, failed, command, "-root", root, "nosuch")
		wantLine(t, said, root+"/nosuch", "not pinned", "(see: pinion -root "+root+" ls)")
	}
	generic := copyOf(t, "raw_tp.bpf.o", "bpf_bpfel.o")
	for _, command := range []string{"load", "plan"} {
		_, said := pinion(t, failed, command, "-root", root, generic)
		wantLine(t, said, "give it one with -name")
	}
	_, said := pinion(t, failed, "ls", "-root", root+"/nosuch")
	wantLine(t, said, root+"/nosuch", "mkdir", "mount -t bpf")
}

// TestReadWithoutRights: who may not look is not told of the right to write, and does not see pins replaced that nobody replaced.
func TestReadWithoutRights(t *testing.T) {
	root := testenv.BPFFS(t)
	pinion(t, done, "load", "-root", root, objects+"raw_tp.bpf.o")
	if err := os.Chmod(root, 0o700); err != nil {
		t.Fatal(err)
	}
	var status int
	var out, errOut bytes.Buffer
	ended := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread alone gets another user, and ends with the goroutine
		const nobody = 65534
		_, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, nobody, nobody, nobody)
		status = run([]string{"show", "-root", root, "raw_tp"}, &out, &errOut)
		ended <- errno
	}()
	if err := <-ended; err != unix.Errno(0) || status != failed {
		t.Fatalf("%v, exit status %d, %s", err, status, &out)
	}
	wantLine(t, errOut.String(), root, "permission denied", "run it as root")
	denied := sys.Fail("open pin of", "map m", unix.EACCES, "needs the right to write to the root")
	c := &call{command: command{reads: true}}
	info := c.describeStatus(&pinning.Status{Pins: []pinning.PinStatus{{State: pinning.StateUnknown, Err: denied}}})
	wantWords(t, info.Pins[0].Problem, "permission denied", "run it as root")
	if pin := info.Pins[0]; strings.Contains(pin.Problem+errOut.String(), "write") || pin.State != "unknown" {
		t.Errorf("says %q and %+v", &errOut, pin)
	}
	c.command.reads = false
	if diff := cmp.Diff(denied.Error(), c.tell(denied)); diff != "" {
		t.Errorf("a command that writes (-want +got):\n%s", diff)
	}
}
