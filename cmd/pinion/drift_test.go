package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/testdata"
)

// pinCounter pins the demo's object with its links to a cgroup of the test, and gives the root.
func pinCounter(t *testing.T) *pinning.Root {
	t.Helper()
	return pinCounterAt(t, testenv.BPFFS(t), testenv.Cgroup(t))
}

func pinCounterAt(t *testing.T, path, cgroup string) *pinning.Root {
	t.Helper()
	root, err := pinning.OpenRoot(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	obj, _, err := ensureDemo(root, cgroup)
	if err != nil {
		t.Fatal(err)
	}
	if err := obj.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Unpin(demoObject, nil) })
	return root
}

// drive makes links drift: one is detached, the other one runs a program of another object, which stays loaded only by it.
func drive(t *testing.T, root *pinning.Root) (runs uint32) {
	t.Helper()
	obj, err := root.Open(demoObject)
	if err != nil {
		t.Fatal(err)
	}
	defer obj.Close()
	if err := obj.Link("count_egress", "").Detach(); err != nil {
		t.Fatal(err)
	}
	spec, err := object.Parse("other", testdata.Counter)
	if err != nil {
		t.Fatal(err)
	}
	other, err := spec.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	program := other.Program("count_ingress")
	if err := obj.Link("count_ingress", "").Update(program.FD(), nil); err != nil {
		t.Fatal(err)
	}
	return program.ID()
}

// TestShowDriftOfLinks: a link's own state is told, with what it runs, what happened and what to do.
func TestShowDriftOfLinks(t *testing.T) {
	root := pinCounter(t)
	runs := drive(t, root)
	want := map[string]showPin{
		"count_egress":  {State: "detached", Attached: &attachInfo{Link: "cgroup", To: "nothing"}},
		"count_ingress": {State: "swapped", Attached: &attachInfo{Link: "cgroup", Program: runs}},
	}
	remedies := 0
	shown := decode[showInfo](t, "show", "-root", root.Path(), demoObject)
	for _, p := range shown.Pins {
		w, drifts := want[p.Name]
		if p.Kind != "link" || !drifts {
			continue
		}
		if p.State != w.State || p.Attached.Link != w.Attached.Link || w.Attached.To != "" && p.Attached.To != w.Attached.To {
			t.Errorf("shown %+v, %+v", p, p.Attached)
		}
		if w.Attached.Program != 0 && (p.Attached.Program != runs || p.Attached.Runs != "") {
			t.Errorf("runs program %q, id %d, want another object's, id %d", p.Attached.Runs, p.Attached.Program, runs)
		}
		if p.Remedy != "" {
			remedies++
		}
	}
	if remedies != len(want) || !shown.Drifted {
		t.Errorf("%d remedies, want %d: %+v", remedies, len(want), shown)
	}
	out, _ := pinion(t, done, "show", "-root", root.Path(), demoObject)
	wantWords(t, out, "runs id "+decimal(runs), "count_egress is detached: it was detached, or", "count_ingress is swapped: it runs program id "+decimal(runs),
		"remedy: pinion -root "+root.Path()+" load -name counter -attach FILE", "or pinion -root "+root.Path()+" unpin counter\n")
}

// TestShowReplaced: what lies at the place of a pin is to be moved away by its path.
func TestShowReplaced(t *testing.T) {
	root := testenv.BPFFS(t)
	pinion(t, done, "load", "-root", root, objects+"pinned.bpf.o")
	place := root + "/pinned/maps/flows"
	if err := os.Remove(place); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(root+"/pinned/maps/total", place); err != nil {
		t.Fatal(err)
	}
	out, _ := pinion(t, done, "show", "-root", root, "pinned")
	wantWords(t, out, "map flows is replaced", "remedy: move "+place+" away, then pinion -root "+root+" unpin pinned")
}

// TestShowELF compares the pinned object with files.
func TestShowELF(t *testing.T) {
	root := testenv.BPFFS(t)
	spec, err := object.Open(objects + "raw_tp.bpf.o")
	if err != nil {
		t.Fatal(err)
	}
	spec.Maps[0].Pinning = object.PinByName
	opened, err := pinning.OpenRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	obj, err := opened.Ensure(spec, &pinning.Options{Instance: "set"})
	if err != nil {
		t.Fatal(err)
	}
	defer obj.Close()
	pinion(t, done, "load", "-root", root, objects+"raw_tp.bpf.o")
	moved := copyOf(t, "raw_tp.bpf.o", "moved.o")
	var got []string
	for _, args := range [][]string{{"raw_tp"}, {"-elf", moved, "raw_tp"}, {"-elf", moved, "raw_tp@set"}, {"-elf", objects + "xdp.bpf.o", "raw_tp"}} {
		got = append(got, decode[showInfo](t, append([]string{"show", "-root", root}, args...)...).Build)
	}
	if diff := cmp.Diff([]string{"", buildSame, buildSettings, buildOther}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	out, _ := pinion(t, done, "show", "-root", root, "-elf", moved, "raw_tp")
	wantWords(t, out, "this build\n")
	_, said := pinion(t, failed, "show", "-root", root, "-elf", "gone.o", "raw_tp")
	wantLine(t, said, "gone.o", "no such file")
}
