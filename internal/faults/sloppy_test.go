package faults

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/sys"
)

// sloppy are operations that do what Pinion must not, each of which a sweep has to find, and one that makes a few calls for the tracer.
func sloppy() []*Operation {
	next := ignoring(unix.EEXIST, pinInPlace)
	of := func(name, tree string, do func(*Env) error) *Operation {
		return &Operation{Name: name, Tree: tree, Do: begun(do), End: "? 1", Next: next, Settled: "? 1"}
	}
	return []*Operation{
		of("pins in place", "sloppy", pinInPlace),
		of("hides errors", "sloppy", func(e *Env) error {
			if pinInPlace(e) != nil {
				clearSloppy(e.Root, "sloppy")
			}
			return nil
		}),
		of("says nothing", "sloppy", func(e *Env) error {
			if err := pinInPlace(e); err != nil {
				return errors.Join(errors.New("failed"), clearSloppy(e.Root, "sloppy"))
			}
			return nil
		}),
		of("leaves a descriptor open", "sloppy", func(e *Env) error {
			_, err := unix.Open("/", unix.O_PATH, 0)
			return errors.Join(err, pinInPlace(e))
		}),
		of("panics", "sloppy", func(e *Env) error {
			if err := pinInPlace(e); err != nil {
				panic(err)
			}
			return nil
		}),
		of("hangs", "sloppy", func(e *Env) error {
			if pinInPlace(e) != nil {
				return unix.Pause()
			}
			return nil
		}),
		of("touches what is not its own", "sloppy", func(e *Env) error {
			return errors.Join(pinInPlace(e), os.Remove(filepath.Join(e.Root, "theirs/tree")), os.Symlink("../raw_tp", filepath.Join(e.Root, "theirs/tree")))
		}),
		{Name: "makes three directories", Do: begun(threeDirs), Next: threeDirs},
	}
}

func begun(do func(*Env) error) func(*Env) error {
	return func(e *Env) error {
		e.Begin()
		return do(e)
	}
}

// pinInPlace pins a map, and writes the record of that, where the tree belongs.
func pinInPlace(e *Env) (err error) {
	fd, err := sys.MapCreate(&sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		return err
	}
	defer fd.Close()
	_, id, err := sys.KindOf(fd)
	if err != nil {
		return err
	}
	record, err := pinning.EncodeRecord(pinning.Record{
		Version: 1, Object: "sloppy", Generation: 1, Complete: true, Pins: []pinning.RecordedPin{{Kind: pinning.KindMap, Name: "m", ID: id}},
	})
	if err != nil {
		return err
	}
	dir := filepath.Join(e.Root, "sloppy")
	path, err := sys.CString(dir + "/maps/m")
	for _, step := range []func() error{
		func() error { return unix.Mkdirat(unix.AT_FDCWD, dir, 0o700) },
		func() error { return unix.Mkdirat(unix.AT_FDCWD, dir+"/maps", 0o700) },
		func() error { return sys.ObjPin(&sys.ObjAttr{Pathname: path, BPFFD: fd.Attr()}) },
		func() error { return unix.Symlinkat(record[0], unix.AT_FDCWD, dir+"/%record") },
	} {
		if err == nil {
			err = step()
		}
	}
	return err
}

func clearSloppy(root, tree string) error { return os.RemoveAll(filepath.Join(root, tree)) }

func threeDirs(e *Env) error {
	var failed error
	for _, name := range []string{"a", "b", "c"} {
		failed = errors.Join(failed, unix.Mkdirat(unix.AT_FDCWD, filepath.Join(e.Root, name), 0o700))
	}
	return failed
}

// recorder keeps what a test would have said.
type recorder struct {
	testing.TB
	said strings.Builder
}

func (r *recorder) Errorf(format string, args ...any) { fmt.Fprintf(&r.said, format+"\n", args...) }

// TestSloppyOperationsAreFound has each operation that is wrong swept, and wants that to be told.
func TestSloppyOperationsAreFound(t *testing.T) {
	needTracer(t)
	lockThread(t)
	for name, c := range map[string]struct {
		fault int // its number in cases, -1 for all
		want  string
	}{
		"pins in place":               {-1, "- it left half: part 0 begins with"},
		"hides errors":                {-1, "- it left absent, want one of [\"? 1\"]"},
		"says nothing":                {-1, "- the error does not say why"},
		"leaves a descriptor open":    {0, "- it left descriptors open: [\""},
		"panics":                      {-1, "it ended with status 0x200\npanic: "},
		"hangs":                       {0, "- it did not end in 2s"},
		"touches what is not its own": {0, "- theirs/tree is not ours"},
	} {
		t.Run(name, func(t *testing.T) {
			lockThread(t)
			b, err := NewBench(Env{Root: testenv.BPFFS(t)}, objects, sloppy(), clearSloppy)
			if err != nil {
				t.Fatal(err)
			}
			b.tracer.Deadline = 2 * time.Second
			defer b.tracer.Close()
			defer b.helper.close()
			heard := &recorder{TB: t}
			s := b.NewSweep(heard, find(sloppy(), name))
			if c.fault >= 0 {
				s.one(cases(s.calls)[c.fault])
			} else {
				s.All(0)
			}
			if said := heard.said.String(); !strings.Contains(said, c.want) {
				t.Errorf("the sweep said:\n%s\nwant in it: %s", said, c.want)
			}
		})
	}
}

// TestTracer makes one of three calls fail, some of them, or the last one.
func TestTracer(t *testing.T) {
	needTracer(t)
	lockThread(t)
	var tracer Tracer
	defer tracer.Close()
	for _, c := range []struct {
		fault  []Fault
		made   string
		killed bool
		error  error
	}{
		{nil, "a b c", false, nil},
		{[]Fault{{At: 2, Errno: unix.ENOLCK}}, "a c", false, unix.ENOLCK},
		{[]Fault{{At: 2, Errno: unix.ENOLCK, Rest: true}}, "a", false, unix.ENOLCK},
		{[]Fault{{At: 1, Errno: unix.ENOLCK}, {At: 3, Errno: unix.EXDEV}}, "b", false, unix.EXDEV},
		{[]Fault{{Call: "mkdirat", At: 3, Errno: unix.ENOLCK}}, "a b", false, unix.ENOLCK},
		{[]Fault{{At: 4, Errno: unix.ENOLCK}}, "a b c", false, nil},
		{[]Fault{{At: 2, Kill: Before}}, "a", true, nil},
		{[]Fault{{At: 2, Kill: After}}, "a b", true, nil},
		{[]Fault{{At: 1, Errno: unix.EXDEV}, {At: 2, Kill: After}}, "b", true, nil},
	} {
		dir := t.TempDir()
		outcome, err := tracer.Do(Task{Operation: "makes three directories", Env: Env{Root: dir}}, false, c.fault...)
		if err != nil {
			t.Fatal(err)
		}
		made, err := filepath.Glob(dir + "/*")
		if err != nil {
			t.Fatal(err)
		}
		names := strings.ReplaceAll(strings.Join(made, " "), dir+"/", "")
		if names != c.made || outcome.Killed != c.killed || outcome.Broken != "" || (outcome.Error != "") != (c.error != nil) ||
			c.error != nil && !strings.Contains(outcome.Error, c.error.Error()) {
			t.Errorf("%v: it made %q, %+v; want %q, killed %t, error %v", c.fault, names, outcome, c.made, c.killed, c.error)
		}
	}
}
