package pinning_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
)

// Users and groups that nobody has.
const (
	owner    = 4321
	group    = 4322
	stranger = 4323
)

var forGroup = pinning.Access{DirMode: 0o750, PinMode: 0o640, UID: owner, GID: group}

// accessOf tells mode, user and group of everything in an object's tree but for the record, which all may read.
func accessOf(t testing.TB, root *pinning.Root, name string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	top := filepath.Join(root.Path(), name)
	check(t, filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type() == fs.ModeSymlink {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		kind := "pin"
		if d.IsDir() {
			kind = "dir"
		}
		all[strings.TrimPrefix(path, root.Path()+"/")] = fmt.Sprintf("%s %04o %d:%d", kind, st.Mode&0o7777, st.Uid, st.Gid)
		return nil
	}))
	return all
}

// allHave checks that directories and pins of a tree all have the access that is wanted.
func allHave(t testing.TB, root *pinning.Root, name, dir, pin string) {
	t.Helper()
	got := accessOf(t, root, name)
	want := make(map[string]string)
	for path, has := range got {
		if want[path] = "pin " + pin; strings.HasPrefix(has, "dir") {
			want[path] = "dir " + dir
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) < 8 {
		t.Errorf("%d files (-want +got):\n%s", len(got), diff)
	}
}

// TestAccess: modes and owners that were asked for hold for all of the tree, stay over upgrades and rollbacks, and change when an upgrade says so.
func TestAccess(t *testing.T) {
	root, cgroup := newRoot(t), testenv.Cgroup(t)
	opts := toCgroup(t, cgroup)
	obj, err := root.Ensure(parse(t, "counter"), opts)
	kept(t, obj, err)
	allHave(t, root, "counter", "0700 0:0", "0600 0:0")
	check(t, root.Unpin("counter", nil))
	opts.Access = &forGroup
	obj, err = root.Ensure(parse(t, "counter"), opts)
	kept(t, obj, err)
	const dirs, pins = "0750 0:4322", "0640 4321:4322"
	allHave(t, root, "counter", dirs, pins)
	opts.Access = nil
	var did pinning.UpgradePlan
	keeping := migrating(opts, &did)
	keeping.Upgrade.KeepOld = true
	obj, err = root.Upgrade(parse(t, "counter_v2"), keeping)
	kept(t, obj, err)
	allHave(t, root, "counter", dirs, pins)
	obj, err = root.Rollback("counter", &pinning.Options{Upgrade: &pinning.UpgradeOptions{KeepOld: true}})
	obj = kept(t, obj, err)
	allHave(t, root, "counter", dirs, pins)
	check(t, obj.Link("count_egress", "cgroup").Detach())
	obj, err = root.Ensure(parse(t, "counter"), opts)
	kept(t, obj, err)
	allHave(t, root, "counter", dirs, pins)
	keeping.Access = &pinning.Access{PinMode: 0o644, UID: -1, GID: -1}
	obj, err = root.Upgrade(parse(t, "counter_v2"), keeping)
	kept(t, obj, err)
	allHave(t, root, "counter", "0700 0:0", "0644 0:0")
	check(t, root.Unpin("counter", nil))
}

// TestAccessBeforeCommit: whoever looks while an object is pinned and upgraded sees the modes that were asked for, or nothing.
func TestAccessBeforeCommit(t *testing.T) {
	root, cgroup := newRoot(t), testenv.Cgroup(t)
	opts := toCgroup(t, cgroup)
	opts.Access = &forGroup
	stop := make(chan struct{})
	var watchers sync.WaitGroup
	seen := make([]map[string]int, 4)
	for i, name := range []string{"counter", "counter/maps", "counter/maps/packets", "counter/links/count_egress@cgroup"} {
		seen[i] = make(map[string]int)
		watchers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				var st unix.Stat_t
				if unix.Lstat(root.Path()+"/"+name, &st) == nil {
					seen[i][fmt.Sprintf("%04o %d:%d", st.Mode&0o7777, st.Uid, st.Gid)]++
				}
			}
		})
	}
	spec := parse(t, "counter")
	for n := range byte(10) {
		for m := range byte(3) {
			check(t, spec.Variable("sample").Set([]byte{n, m, 0, 0}))
			obj, err := root.Ensure(spec, opts)
			check(t, err)
			check(t, obj.Close())
		}
		check(t, root.Unpin("counter", nil))
	}
	close(stop)
	watchers.Wait()
	for i, want := range []string{"0750 0:4322", "0750 0:4322", "0640 4321:4322", "0640 4321:4322"} {
		if len(seen[i]) != 1 || seen[i][want] == 0 {
			t.Errorf("saw %v, want %s alone", seen[i], want)
		}
	}
}

// readOnly is the job of a worker of another user: it opens the object, reads an entry, tries to write it, and asks whether the object changed.
func readOnly(o *order, said *done) error {
	root, err := o.open()
	if err != nil {
		return err
	}
	defer root.Close()
	if o.Times == 0 { // begins anew
		obj, err := root.OpenReadOnly(o.Name)
		said.Says["open"] = saysError(err)
		if err != nil {
			return nil
		}
		opened = obj
	}
	packets := opened.Map("packets")
	value := make([]byte, packets.ValueSize())
	said.Says["lookup"] = saysError(packets.Lookup(make([]byte, 4), value))
	said.Count["value"] = uint64(value[0])
	said.Says["update"] = saysError(packets.Update(make([]byte, 4), value, 0))
	changed, err := root.Changed(opened)
	said.Says["changed"] = fmt.Sprint(changed, saysError(err))
	said.Count["maps"], said.Count["programs"], said.Count["links"] = uint64(len(opened.Maps())), uint64(len(opened.Programs())), uint64(len(opened.Links()))
	return nil
}

// opened is what a worker has open from one order to the next.
var opened *object.Object

func saysError(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// userWorker starts a worker as another user.
func userWorker(t testing.TB, uid, gid uint32, caps ...uintptr) *worker {
	t.Helper()
	return newWorker(t, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid}, AmbientCaps: caps})
}

// TestOpenReadOnly opens an object from the processes of another user: of one whom its access lets in, and of one whom it does not.
func TestOpenReadOnly(t *testing.T) {
	root, cgroup := newRoot(t), testenv.Cgroup(t)
	check(t, os.Chmod(filepath.Dir(root.Path()), 0o711)) // the way to the mount
	opts := toCgroup(t, cgroup)
	opts.Access = &forGroup
	obj, err := root.Ensure(parse(t, "counter"), opts)
	obj = kept(t, obj, err)
	packet(t, obj, 41)
	o := order{Do: "readonly", Root: root.Path(), Name: "counter"}
	reader := userWorker(t, stranger, group, unix.CAP_BPF)
	expected := done{
		Count: map[string]uint64{"value": 41, "maps": 3, "programs": 2, "links": 0},
		Says:  map[string]string{"open": "", "lookup": "", "update": "operation not permitted", "changed": "false"},
	}
	if diff := cmp.Diff(expected, reader.do(o)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, w := range map[string]*worker{"no member": userWorker(t, stranger, stranger, unix.CAP_BPF), "no member, without CAP_BPF": userWorker(t, stranger, stranger)} {
		if says := w.do(o).Says["open"]; !strings.Contains(says, unix.EACCES.Error()) || !strings.Contains(says, "counter") {
			t.Errorf("%s: %q, want %q", name, says, unix.EACCES.Error())
		}
	}
	checkUnprivileged(t, userWorker(t, stranger, group).do(o), expected)
	opts.Access = nil
	var did pinning.UpgradePlan
	obj, err = root.Upgrade(parse(t, "counter_v2"), migrating(opts, &did))
	kept(t, obj, err)
	o.Times = 1
	delete(expected.Says, "open")
	expected.Says["changed"] = "true"
	if diff := cmp.Diff(expected, reader.do(o)); diff != "" {
		t.Errorf("after an upgrade (-want +got):\n%s", diff)
	}
	check(t, root.Unpin("counter", nil))
}

// checkUnprivileged looks at what a process without any capability was told. Where bpf(2) is kept to the privileged, that says so; from Linux 5.19 on that is not about
// what only opens and reads.
func checkUnprivileged(t testing.TB, got, expected done) {
	t.Helper()
	setting, err := os.ReadFile("/proc/sys/kernel/unprivileged_bpf_disabled")
	check(t, err)
	if testenv.Has(t, "5.19") || setting[0] == '0' {
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Errorf("without CAP_BPF (-want +got):\n%s", diff)
		}
		return
	}
	for _, word := range []string{unix.EPERM.Error(), "CAP_BPF", "kernel.unprivileged_bpf_disabled"} {
		if says := got.Says["open"]; !strings.Contains(says, word) {
			t.Errorf("without CAP_BPF: %q, want %q in it", says, word)
		}
	}
}

// TestChanged: an object learns that another one is pinned in its place, and is not told so otherwise.
func TestChanged(t *testing.T) {
	root, cgroup := newRoot(t), testenv.Cgroup(t)
	opts := toCgroup(t, cgroup)
	loaded := load(t, parse(t, "counter"))
	_, err := root.Changed(loaded)
	want(t, err, pinning.ErrNotExist, "counter")
	ensure := func() *object.Object {
		obj, err := root.Ensure(parse(t, "counter"), opts)
		return kept(t, obj, err)
	}
	all := []*object.Object{ensure()}
	changed := func(when string, expected ...bool) {
		t.Helper()
		var got []bool
		for _, obj := range all {
			is, err := root.Changed(obj)
			check(t, err)
			got = append(got, is)
		}
		if !slices.Equal(got, expected) {
			t.Errorf("%s: changed %v, want %v", when, got, expected)
		}
	}
	changed("pinned", false)
	readonly, err := root.OpenReadOnly("counter")
	all = append(all, kept(t, readonly, err), ensure())
	changed("opened", false, false, false)
	var did pinning.UpgradePlan
	keeping := migrating(opts, &did)
	keeping.Upgrade.KeepOld = true
	next, err := root.Upgrade(parse(t, "counter_v2"), keeping)
	all = append(all, kept(t, next, err))
	changed("upgraded", true, true, true, false)
	back, err := root.Rollback("counter", nil)
	all = append(all, kept(t, back, err))
	changed("rolled back", true, true, true, true, false)
	unchanged(t, root, func() { all = append(all, ensure()) })
	changed("ensured", true, true, true, true, false, false)
	check(t, root.Unpin("counter", nil))
	changed("unpinned", true, true, true, true, true, true)
	all = append(all, ensure())
	changed("pinned again", true, true, true, true, true, true, false)
	check(t, errors.Join(all[0].Close(), root.Unpin("counter", nil)))
}
