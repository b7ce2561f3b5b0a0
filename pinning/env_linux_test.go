package pinning_test

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/sys"
)

// newRoot gives a root on a bpffs of the test's own.
func newRoot(t testing.TB) *pinning.Root {
	t.Helper()
	root, err := pinning.OpenRoot(testenv.BPFFS(t))
	check(t, err)
	t.Cleanup(func() { check(t, root.Close()) })
	return root
}

// parse reads a test object.
func parse(t testing.TB, name string) *object.Spec {
	t.Helper()
	spec, err := object.Open(filepath.Join("../testdata/bpf", name+".bpf.o"))
	check(t, err)
	return spec
}

// load loads a test object, and closes it with the test.
func load(t testing.TB, spec *object.Spec) *object.Object {
	t.Helper()
	obj, err := spec.Load(nil)
	return kept(t, obj, err)
}

// kept closes what a call gave with the test.
func kept(t testing.TB, obj *object.Object, err error) *object.Object {
	t.Helper()
	check(t, err)
	t.Cleanup(func() { check(t, obj.Close()) })
	return obj
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want checks that err wraps a sentinel and that its text has all the words.
func want(t testing.TB, err, sentinel error, words ...string) {
	t.Helper()
	if !errors.Is(err, sentinel) {
		t.Errorf("error %v, want one that is %v", err, sentinel)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not name %q", err, word)
		}
	}
}

// files lists everything below a root, but for what the kernel itself puts there.
func files(t testing.TB, root *pinning.Root) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(root.Path(), func(path string, d fs.DirEntry, err error) error {
		check(t, err)
		if path != root.Path() && filepath.Ext(path) != ".debug" {
			all = append(all, strings.TrimPrefix(path, root.Path()+"/"))
		}
		return nil
	})
	check(t, err)
	slices.Sort(all)
	return all
}

// unchanged checks that a call changed nothing below a root.
func unchanged(t testing.TB, root *pinning.Root, call func()) {
	t.Helper()
	before := files(t, root)
	call()
	if after := files(t, root); !slices.Equal(before, after) {
		t.Errorf("before: %q\nafter:  %q", before, after)
	}
}

// pinFile pins a new array at a path, as someone else would.
func pinFile(t testing.TB, path string) uint32 {
	t.Helper()
	fd, err := sys.MapCreate(&sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	check(t, err)
	defer fd.Close()
	name, err := sys.CString(path)
	check(t, err)
	check(t, sys.ObjPin(&sys.ObjAttr{Pathname: name, BPFFD: fd.Attr()}))
	_, id, err := sys.KindOf(fd)
	check(t, err)
	return id
}

// counter reads the global "calls" of the test object raw_tp.
func counter(t testing.TB, obj *object.Object) uint64 {
	t.Helper()
	bss := obj.Map(".bss")
	value := make([]byte, bss.ValueSize())
	check(t, bss.Lookup(make([]byte, 4), value))
	v := parse(t, "raw_tp").Variable("calls")
	return binary.NativeEndian.Uint64(value[v.Offset():])
}

// systemCall makes one, so that a program on sys_enter runs.
func systemCall() { unix.Getppid() }

// counts tells whether the program of the test object raw_tp runs. It makes more than one call: one is missed where another task
// was preempted inside the program on the same CPU (the counter prog->active in kernel/trace/bpf_trace.c).
func counts(t testing.TB, obj *object.Object) bool {
	t.Helper()
	before := counter(t, obj)
	for range 10_000 {
		systemCall()
		if counter(t, obj) > before {
			return true
		}
		runtime.Gosched()
	}
	return false
}

// ids gives the kernel's ids of a whole object.
func ids(obj *object.Object) map[string]uint32 {
	all := make(map[string]uint32)
	for _, m := range obj.Maps() {
		all["map "+m.Name()] = m.ID()
	}
	for _, p := range obj.Programs() {
		all["program "+p.Name()] = p.ID()
	}
	for _, l := range obj.Links() {
		all["link "+l.Program()+"@"+l.Target()] = l.ID()
	}
	return all
}

// countLinks gives how many attached links run a program of that kernel name. One that was detached may live on for a moment.
func countLinks(t testing.TB, program string) int {
	t.Helper()
	n := 0
	for attr := (sys.GetIDAttr{}); sys.LinkGetNextID(&attr) == nil; attr = (sys.GetIDAttr{StartID: attr.NextID}) {
		fd, err := sys.LinkGetFDByID(&sys.GetFDByIDAttr{StartID: attr.NextID})
		if err != nil {
			continue // it ended meanwhile
		}
		l, err := link.FromFD(fd)
		check(t, err)
		runs, attached, err := l.State()
		check(t, errors.Join(err, l.Close()))
		if attached && programName(t, runs) == program {
			n++
		}
	}
	return n
}

func programName(t testing.TB, id uint32) string {
	t.Helper()
	fd, err := sys.ProgGetFDByID(&sys.GetFDByIDAttr{StartID: id})
	if err != nil {
		return ""
	}
	defer fd.Close()
	var info sys.ProgInfo
	_, err = sys.GetInfo(fd, &info)
	check(t, err)
	return info.Name.String()
}

func mkdir(t testing.TB, path string) {
	t.Helper()
	check(t, os.MkdirAll(path, 0o700))
}

func attachBySection(obj *object.Object) error { return obj.Attach() }

// attachAll attaches every program of the test object counter to a cgroup, each to its own hook.
func attachAll(obj *object.Object, cgroup *sys.FD) error {
	for _, p := range obj.Spec().Programs {
		how := link.Cgroup{Dir: cgroup, AttachType: p.AttachType}
		if _, err := obj.AttachTo(p.Name, "cgroup", how); err != nil {
			return err
		}
	}
	return nil
}

// openFile opens a file in a directory for reading.
func openFile(dir *sys.FD, name string) (*sys.FD, error) {
	raw, err := unix.Openat(dir.Int(), name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return sys.NewFD(raw)
}
