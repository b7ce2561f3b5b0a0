package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/internal/testenv"
)

// files lists what is below a root, but for what the kernel puts there.
func files(t *testing.T, root string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !strings.Contains(entry.Name(), ".") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	return files
}

// TestLoadShowUnpin goes through an object's life.
func TestLoadShowUnpin(t *testing.T) {
	root, file := testenv.BPFFS(t), objects+"raw_tp.bpf.o"
	planned := decode[[]pinInfo](t, "plan", "-root", root, "-attach", file)
	if diff := cmp.Diff(planned[:2], decode[[]pinInfo](t, "plan", "-root", root, file)); diff != "" {
		t.Errorf("planned without -attach (-want +got):\n%s", diff)
	}
	loaded := decode[[]loadInfo](t, "load", "-root", root, "-attach", file)
	if len(loaded) != 1 || loaded[0].State != stateLoaded || loaded[0].Object != "raw_tp" {
		t.Fatalf("loaded: %+v", loaded)
	}
	var paths []string
	for i, p := range loaded[0].Pins {
		paths = append(paths, p.Path)
		if p.ID == 0 {
			t.Errorf("%s %s has no id", p.Kind, p.Name)
		}
		p.ID = 0
		if i >= len(planned) || p != planned[i] {
			t.Errorf("pinned %+v, which is not what was planned: %+v", p, planned)
		}
	}
	slices.Sort(paths)
	if diff := cmp.Diff(slices.Sorted(slices.Values(append(paths, root+"/raw_tp/%record"))), files(t, root)); diff != "" {
		t.Errorf("files (-said +there):\n%s", diff)
	}
	again := decode[[]loadInfo](t, "load", "-root", root, "-attach", file)
	loaded[0].State = statePinned
	if diff := cmp.Diff(loaded, again); diff != "" {
		t.Errorf("loaded again (-first +second):\n%s", diff)
	}
	entries := decode[[]entryInfo](t, "ls", "-root", root)
	if diff := cmp.Diff([]entryInfo{{Name: "raw_tp", Object: "raw_tp", Generation: 1, Complete: true, Maps: 1, Programs: 1, Links: 1}}, entries); diff != "" {
		t.Errorf("ls (-want +got):\n%s", diff)
	}
	checkShown(t, root, loaded[0].Pins)
	out, _ := pinion(t, done, "unpin", "-root", root, "raw_tp")
	wantLine(t, out, "raw_tp", "3 pins")
	if left := files(t, root); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	_, said := pinion(t, failed, "unpin", "-root", root, "raw_tp")
	wantLine(t, said, root+"/raw_tp", "not pinned")
}

func checkShown(t *testing.T, root string, pins []pinInfo) {
	t.Helper()
	shown := decode[showInfo](t, "show", "-root", root, "raw_tp")
	if shown.Drifted || !shown.Complete || len(shown.Pins) != len(pins) {
		t.Errorf("shown: %+v", shown)
	}
	for i, p := range shown.Pins {
		if p.pinInfo != pins[i] || p.State != "ok" {
			t.Errorf("shown %+v, want %+v", p, pins[i])
		}
		if (p.Attached != nil) != (p.Kind == "link") {
			t.Errorf("%s %s is attached: %+v", p.Kind, p.Name, p.Attached)
		}
	}
	link := shown.Pins[len(shown.Pins)-1].Attached
	if diff := cmp.Diff(&attachInfo{Link: "raw_tracepoint", Program: pins[1].ID, Runs: "count_calls", To: "sys_enter"}, link); diff != "" {
		t.Errorf("attached (-want +got):\n%s", diff)
	}
	out, _ := pinion(t, done, "show", "-root", root, "raw_tp")
	wantWords(t, out, "raw_tp: whole", "sys_enter", root+"/raw_tp/links/count_calls")
}

// TestShowDrift removes a pin and adds a foreign file.
func TestShowDrift(t *testing.T) {
	root := testenv.BPFFS(t)
	pinion(t, done, "load", "-root", root, objects+"pinned.bpf.o")
	if err := os.Remove(root + "/pinned/maps/flows"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(root+"/pinned/extra", 0o700); err != nil {
		t.Fatal(err)
	}
	out, _ := pinion(t, done, "show", "-root", root, "pinned")
	wantWords(t, out, "gone", "map flows is gone", "not Pinion's: extra")
	_, said := pinion(t, refused, "unpin", "-root", root, "pinned")
	wantLine(t, said, "extra", "move it away")
}

// TestRefused: what stands in the way is protected, and the exit status says so.
func TestRefused(t *testing.T) {
	root := testenv.BPFFS(t)
	pinion(t, done, "load", "-root", root, objects+"raw_tp.bpf.o")
	_, said := pinion(t, refused, "load", "-root", root, "-name", "raw_tp", objects+"tracepoint.bpf.o")
	wantLine(t, said, "raw_tp", "another build", "unpin it")
	if err := os.Mkdir(root+"/pinned", 0o700); err != nil {
		t.Fatal(err)
	}
	before := files(t, root)
	_, said = pinion(t, refused, "load", "-root", root, objects+"pinned.bpf.o")
	wantLine(t, said, root+"/pinned", "not Pinion's own")
	if diff := cmp.Diff(before, files(t, root)); diff != "" {
		t.Errorf("files (-before +after):\n%s", diff)
	}
}

// TestLoadMany: one file that fails does not stop the others, and the worst is the exit status.
func TestLoadMany(t *testing.T) {
	root := testenv.BPFFS(t)
	out, said := pinion(t, failed, "load", "-root", root, objects+"core_custom.bpf.o", objects+"rejected.bpf.o", objects+"pinned_odd.bpf.o", truncated(t))
	wantWords(t, out, "pinned_odd: loaded", "note: map replaced", "16")
	wantWords(t, said, "the kernel has no type of that kind and name", "the verifier refused program", "half.bpf.o")
	if lines := strings.Count("\n"+said, "\npinion: "); lines != 3 {
		t.Errorf("%d errors, want 3:\n%s", lines, said)
	}
	if diff := cmp.Diff([]string{"pinned_odd"}, names(decode[[]entryInfo](t, "ls", "-root", root))); diff != "" {
		t.Errorf("ls (-want +got):\n%s", diff)
	}
}

func names(entries []entryInfo) (names []string) {
	for _, e := range entries {
		names = append(names, e.Name)
	}
	return names
}

// copyOf copies an object to a file of another name.
func copyOf(t *testing.T, file, name string) string {
	t.Helper()
	data, err := os.ReadFile(objects + file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestLoadFits loads what asks for the kernel's types, and what asks for those of a file.
func TestLoadFits(t *testing.T) {
	root := testenv.BPFFS(t)
	pinion(t, done, "load", "-root", root, objects+"core.bpf.o", objects+"core_kinds.bpf.o")
	pinion(t, done, "load", "-root", root, "-btf", objects+"core_types.bpf.o", objects+"core_custom.bpf.o", objects+"raw_tp.bpf.o")
	if diff := cmp.Diff([]string{"core", "core_custom", "core_kinds", "raw_tp"}, names(decode[[]entryInfo](t, "ls", "-root", root))); diff != "" {
		t.Errorf("ls (-want +got):\n%s", diff)
	}
	for _, file := range []string{"/nothing", objects + "nobtf.bpf.o"} {
		_, said := pinion(t, failed, "load", "-no-pin", "-btf", file, objects+"core_custom.bpf.o")
		wantWords(t, said, "pinion: ")
	}
}

// TestLoadNames loads one file several times, and one that has a name which tells nothing.
func TestLoadNames(t *testing.T) {
	root := testenv.BPFFS(t)
	for _, args := range [][]string{{}, {"-instance", "eth0"}, {"-name", "my.name", "-instance", "a@b"}} {
		pinion(t, done, append([]string{"load", "-root", root, objects + "raw_tp.bpf.o"}, args...)...)
	}
	if diff := cmp.Diff([]string{"my%2Ename@a%40b", "raw_tp", "raw_tp@eth0"}, names(decode[[]entryInfo](t, "ls", "-root", root))); diff != "" {
		t.Errorf("ls (-want +got):\n%s", diff)
	}
	generic := copyOf(t, "raw_tp.bpf.o", "bpf_bpfel.o")
	_, said := pinion(t, failed, "load", "-root", root, generic)
	wantLine(t, said, "give it one with -name")
	pinion(t, done, "load", "-root", root, "-name", "mine", generic)
}

// TestLoadMovedFile: the same bytes in another file, under the name that they are pinned as, are the same build.
func TestLoadMovedFile(t *testing.T) {
	root := testenv.BPFFS(t)
	pinion(t, done, "load", "-root", root, objects+"raw_tp.bpf.o")
	moved := copyOf(t, "raw_tp.bpf.o", "release-7.bpf.o")
	if again := decode[[]loadInfo](t, "load", "-root", root, "-name", "raw_tp", moved); again[0].State != statePinned || again[0].Object != "raw_tp" {
		t.Errorf("loaded: %+v", again)
	}
}

// TestLoadNoPin leaves nothing, and needs no root.
func TestLoadNoPin(t *testing.T) {
	loaded := decode[[]loadInfo](t, "load", "-root", "/nowhere", "-no-pin", "-attach", objects+"raw_tp.bpf.o")
	if len(loaded) != 1 || loaded[0].State != stateTried || len(loaded[0].Pins) != 3 {
		t.Errorf("loaded: %+v", loaded)
	}
	out, _ := pinion(t, done, "load", "-no-pin", objects+"counter.bpf.o")
	wantWords(t, out, "counter: loaded and let go", "count_ingress")
}

// TestLoadUnattached: -attach tells of each program that it leaves unattached, when it loads the object and when it finds it.
func TestLoadUnattached(t *testing.T) {
	root := testenv.BPFFS(t)
	want := []string{
		"program count_ingress is not attached: its section, cgroup_skb/ingress, does not say where to",
		"program count_egress is not attached: its section, cgroup_skb/egress, does not say where to",
	}
	for _, flag := range []string{"-no-pin", "-attach", "-attach"} {
		loaded := decode[[]loadInfo](t, "load", "-root", root, "-attach", flag, objects+"counter.bpf.o", objects+"optional.bpf.o")
		if diff := cmp.Diff([][]string{want, {}}, [][]string{loaded[0].Notes, loaded[1].Notes}); diff != "" {
			t.Errorf("%s, %s: notes (-want +got):\n%s", flag, loaded[0].State, diff)
		}
	}
	out, _ := pinion(t, done, "load", "-root", root, objects+"counter.bpf.o")
	if strings.Contains(out, "note:") {
		t.Errorf("without -attach it says %q", out)
	}
}

// TestLoadUntyped: load tells of the programs whose section says nothing, and inspect lists them.
func TestLoadUntyped(t *testing.T) {
	root := testenv.BPFFS(t)
	want := []string{
		"program own_name is not loaded: the name of its section, packets/of_mine, does not say of what type it is",
		"program old_name is not loaded: the name of its section, prog, does not say of what type it is",
	}
	loaded := decode[[]loadInfo](t, "load", "-root", root, objects+"sections.bpf.o")
	if diff := cmp.Diff(want, loaded[0].Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	out, _ := pinion(t, done, "inspect", objects+"sections.bpf.o")
	wantWords(t, out, "NOT-LOADABLE-YET", "unknown section", "own_name", "packets/of_mine")
}

// TestListNothing says so, and to machines with an empty list.
func TestListNothing(t *testing.T) {
	root := testenv.BPFFS(t)
	out, _ := pinion(t, done, "ls", "-root", root)
	wantLine(t, out, "nothing is pinned below "+root)
	if out, _ = pinion(t, done, "ls", "-root", root, "-json"); out != "[]\n" {
		t.Errorf("-json says %q", out)
	}
}

// TestListUnreadable shows what can be read, and tells of what cannot.
func TestListUnreadable(t *testing.T) {
	root := testenv.BPFFS(t)
	pinion(t, done, "load", "-root", root, objects+"raw_tp.bpf.o")
	if err := os.Mkdir(root+"/odd", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("no record", root+"/odd/%record"); err != nil {
		t.Fatal(err)
	}
	out, said := pinion(t, failed, "ls", "-root", root)
	wantWords(t, out, "raw_tp")
	wantLine(t, said, root+"/odd", "bad record")
}

// TestFlat pins maps where libbpf looks for them, and refuses one that does not fit.
func TestFlat(t *testing.T) {
	root := testenv.BPFFS(t)
	pinion(t, done, "load", "-root", root, "-flat", objects+"events_a.bpf.o")
	planned := decode[[]pinInfo](t, "plan", "-root", root, "-flat", objects+"events_b.bpf.o")
	if planned[0].Path != root+"/events" {
		t.Errorf("planned %+v", planned[0])
	}
	loaded := decode[[]loadInfo](t, "load", "-root", root, "-flat", objects+"events_b.bpf.o")
	shown := decode[showInfo](t, "show", "-root", root, "events_b")
	if p := shown.Pins[0]; p.Path != root+"/events" || !p.Shared || p.ID != loaded[0].Pins[0].ID {
		t.Errorf("shown %+v", p)
	}
	before := files(t, root)
	_, said := pinion(t, refused, "load", "-root", root, "-flat", objects+"events_b_big.bpf.o")
	wantLine(t, said, "events", "max entries")
	if diff := cmp.Diff(before, files(t, root)); diff != "" {
		t.Errorf("files (-before +after):\n%s", diff)
	}
	checkUnpinFlat(t, root)
}

// checkUnpinFlat: the first object made the shared map, and the second one shares it. It is removed with neither, and is counted with neither.
func checkUnpinFlat(t *testing.T, root string) {
	t.Helper()
	before := len(files(t, root))
	for _, name := range []string{"events_a", "events_b"} {
		got := decode[unpinInfo](t, "unpin", "-root", root, name)
		after := len(files(t, root))
		if diff := cmp.Diff(unpinInfo{Name: name, Pins: before - after - 1, Stayed: []string{root + "/events"}}, got); diff != "" {
			t.Errorf("unpinned, and one record beside (-want +got):\n%s", diff)
		}
		before = after
	}
	if diff := cmp.Diff([]string{root + "/events"}, files(t, root)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestUnpinClearsWhatTheDeadLeft finds an unpin that died after it had moved the tree away: nothing lists that object any more.
func TestUnpinClearsWhatTheDeadLeft(t *testing.T) {
	root := testenv.BPFFS(t)
	pinion(t, done, "load", "-root", root, "-attach", objects+"raw_tp.bpf.o")
	if err := os.Mkdir(root+"/%stage-raw_tp", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(root+"/raw_tp", root+"/%stage-raw_tp/old"); err != nil {
		t.Fatal(err)
	}
	_, said := pinion(t, failed, "unpin", "-root", root, "raw_tp")
	wantLine(t, said, "unpin", "not pinned")
	if left := files(t, root); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// TestLoadMends: what is gone of a pinned object is made again, and that is said.
func TestLoadMends(t *testing.T) {
	root := testenv.BPFFS(t)
	args := []string{"load", "-root", root, "-attach", objects + "raw_tp.bpf.o"}
	pinion(t, done, args...)
	if err := os.Remove(root + "/raw_tp/links/count_calls"); err != nil {
		t.Fatal(err)
	}
	out, _ := pinion(t, done, "show", "-root", root, "raw_tp")
	wantWords(t, out, "link count_calls is gone", "remedy: pinion -root "+root+" load -name raw_tp FILE, with the file that it is from, mends it")
	for _, want := range []string{stateMended, statePinned} {
		if loaded := decode[[]loadInfo](t, args...); loaded[0].State != want || len(loaded[0].Pins) != 3 {
			t.Errorf("loaded: %+v, want it %s", loaded, want)
		}
		checkShown(t, root, decode[[]loadInfo](t, args...)[0].Pins)
	}
}

// TestLoadKconfig loads what asks for the kernel's configuration, from a file, and upgrades it to itself.
func TestLoadKconfig(t *testing.T) {
	root, file := testenv.BPFFS(t), filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte("CONFIG_HZ=250\nCONFIG_BPF_SYSCALL=y\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pinion(t, done, "load", "-root", root, "-kconfig", file, objects+"kconfig.bpf.o")
	out, _ := pinion(t, done, "show", "-root", root, "kconfig")
	wantWords(t, out, ".kconfig")
	out, _ = pinion(t, done, "upgrade", "-root", root, "-kconfig", file, "kconfig", objects+"kconfig.bpf.o")
	wantWords(t, out, "nothing to do")
	_, said := pinion(t, failed, "load", "-no-pin", "-kconfig", file, objects+"kconfig_kinds.bpf.o")
	wantWords(t, said, "kernel option", "is not set in the configuration")
	_, said = pinion(t, failed, "load", "-no-pin", "-kconfig", "/nothing", objects+"kconfig.bpf.o")
	wantWords(t, said, "/nothing")
}
