package faults

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/sys"
)

// TestJudge changes what is pinned, here and there, and wants each change to be found.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(root string) error
		want   string
	}{
		{"nothing", func(string) error { return nil }, ""},
		{"a pin is gone", func(root string) error { return os.Remove(root + "/raw_tp/programs/count_calls") }, "raw_tp/programs/count_calls is program "},
		{"a pin is another's", func(root string) error {
			return errors.Join(os.Remove(root+"/raw_tp/maps/%2Ebss"), pinMap(root+"/raw_tp/maps/%2Ebss"))
		}, "raw_tp/maps/%2Ebss is map "},
		{"a pin is of another kind", func(root string) error {
			return os.Rename(root+"/raw_tp/programs/count_calls", root+"/raw_tp/maps/%2Ebss")
		}, "in the record of raw_tp, and program "},
		{"a pin more", func(root string) error { return pinMap(root + "/raw_tp/maps/more") }, "nobody accounts for raw_tp/maps/more"},
		{"a directory more", func(root string) error { return os.Mkdir(root+"/raw_tp/more", 0o700) }, "nobody accounts for raw_tp/more"},
		{"a pin outside", func(root string) error { return pinMap(root + "/more") }, "nobody accounts for more"},
		{"a tree without a record", func(root string) error { return os.Remove(root + "/raw_tp/%record") }, "nobody accounts for raw_tp/maps"},
		{"a tree of another name", func(root string) error { return os.Rename(root+"/raw_tp", root+"/other") }, "other has the record of raw_tp"},
		{"a tree twice", func(root string) error { return copyRecord(root, "raw_tp", "more", "tree raw_tp", "tree more") }, "more: line "},
		{"a record that was changed", func(root string) error { return copyRecord(root, "raw_tp", "raw_tp", "generation 1", "generation 2") }, "the sum is"},
		{"a mode", func(root string) error { return os.Chmod(root+"/raw_tp/maps/%2Ebss", 0o644) }, "raw_tp/maps/%2Ebss has mode -rw-r--r--"},
		{"a link that runs on", func(root string) error {
			return errors.Join(os.Rename(root+"/raw_tp/links/count_calls", root+"/%sta/more"), os.RemoveAll(root+"/raw_tp"))
		}, "no tree in its place accounts for link "},
		{"staging", func(root string) error { return os.Mkdir(root+"/%stage-raw_tp", 0o700) }, "%stage-raw_tp is left"},
		{"what is not ours", func(root string) error { return os.Remove(root + "/theirs/map") }, "theirs/map is not ours"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := NewBench(Env{Root: testenv.BPFFS(t)}, objects, nil, clearTree)
			if err == nil {
				err = ensure("raw_tp", nil)(&b.Env)
			}
			if err == nil {
				err = c.change(b.Root)
			}
			if err != nil {
				t.Fatal(err)
			}
			v, err := Look(b.Root)
			if err != nil {
				t.Fatal(err)
			}
			wrong := strings.Join(b.judge.wrong(v, true, nil), "\n") + "\n"
			if !strings.Contains(wrong, c.want) || c.want == "" && wrong != "\n" {
				t.Errorf("found: %s\nwant in it: %q", wrong, c.want)
			}
		})
	}
}

// TestStates names states as operations do.
func TestStates(t *testing.T) {
	b, err := NewBench(Env{Root: testenv.BPFFS(t)}, objects, nil, clearTree)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		do   func(*Env) error
		want string
	}{
		{func(*Env) error { return nil }, Absent},
		{load("pinned", nil), "pinned 1 maps"},
		{ensure("pinned", nil), "pinned 1"},
		{func(e *Env) error { return os.Mkdir(e.Root+"/%stage-pinned", 0o700) }, "pinned 1"},
		{func(e *Env) error { return os.Rename(e.Root+"/pinned", e.Root+"/%stage-pinned/old") }, Absent},
		{func(e *Env) error {
			return errors.Join(os.Mkdir(e.Root+"/%stage-pinned/new", 0o700), copyRecord(e.Root, "%stage-pinned/old", "%stage-pinned/new", "", ""))
		}, Gap},
		{func(e *Env) error { return os.Mkdir(e.Root+"/pinned", 0o700) }, "half: "},
	} {
		if err := step.do(&b.Env); err != nil {
			t.Fatal(err)
		}
		v, err := Look(b.Root)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.judge.state(v, "pinned"); got != step.want && !(step.want == "half: " && strings.HasPrefix(got, step.want)) {
			t.Errorf("state %q, want %q of\n%s", got, step.want, v)
		}
	}
}

func pinMap(path string) error {
	fd, err := sys.MapCreate(&sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		return err
	}
	defer fd.Close()
	name, err := sys.CString(path)
	if err != nil {
		return err
	}
	return sys.ObjPin(&sys.ObjAttr{Pathname: name, BPFFD: fd.Attr()})
}

// copyRecord writes a changed copy of a tree's record into another directory, or the same one.
func copyRecord(root, from, to, old, replacement string) error {
	text, err := os.Readlink(filepath.Join(root, from, "%record"))
	if err != nil {
		return err
	}
	if from == to {
		err = os.Remove(filepath.Join(root, to, "%record"))
	} else if _, missing := os.Stat(filepath.Join(root, to)); missing != nil {
		err = os.Mkdir(filepath.Join(root, to), 0o700)
	}
	return errors.Join(err, os.Symlink(strings.Replace(text, old, replacement, 1), filepath.Join(root, to, "%record")))
}
