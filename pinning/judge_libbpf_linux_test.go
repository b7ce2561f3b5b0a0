package pinning_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
)

// buildReuse builds testdata/reuse.c on the machine's libbpf.
func buildReuse(t testing.TB) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "reuse")
	said, err := exec.Command("gcc", "-Wall", "-Werror", "-o", binary, "testdata/reuse.c", "-lbpf", "-lelf", "-lz").CombinedOutput()
	if err != nil {
		t.Fatalf("gcc: %v\n%s", err, said)
	}
	return binary
}

// reuse loads an object with libbpf, its maps pinned flat below the root, and gives the id of the map events and the value of a key, which is
// written first if it is given. An error has what libbpf says.
func reuse(t testing.TB, binary, name, root string, key []byte, write ...byte) (id uint32, value []byte, err error) {
	t.Helper()
	arguments := []string{filepath.Join("../testdata/bpf", name+".bpf.o"), root, "events", hex.EncodeToString(key)}
	if write != nil {
		arguments = append(arguments, hex.EncodeToString(write))
	}
	var says strings.Builder
	command := exec.Command(binary, arguments...)
	command.Stderr = &says
	said, err := command.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return 0, nil, errors.New(says.String())
	}
	check(t, err)
	var digits string
	if _, err := fmt.Sscan(string(said), &id, &digits); err != nil {
		t.Fatalf("reuse says %q: %v", said, err)
	}
	value, err = hex.DecodeString(digits)
	check(t, err)
	return id, value, nil
}

// flatEvents is libbpf's place for the map events.
func flatEvents() *pinning.Options {
	return &pinning.Options{Overrides: []pinning.Override{{Kind: pinning.KindMap, Name: "events", Path: "events"}}}
}

// An entry of the map events.
var eventKey, eventValue = []byte{1, 2, 3, 4}, []byte("sixteen bytes...")

// TestLibbpfReusesOurMap pins a map where libbpf looks for it. Closing our handles first leaves libbpf nothing but the pin.
func TestLibbpfReusesOurMap(t *testing.T) {
	testenv.Host(t, "a compiler and libbpf")
	binary, root := buildReuse(t), newRoot(t)
	obj, err := root.Ensure(parse(t, "events_a"), flatEvents())
	check(t, err)
	check(t, obj.Map("events").Update(eventKey, eventValue, unix.BPF_ANY))
	ours := obj.Map("events").ID()
	check(t, obj.Close())
	for _, name := range []string{"events_a", "events_b"} {
		unchanged(t, root, func() {
			theirs, value, err := reuse(t, binary, name, root.Path(), eventKey)
			check(t, err)
			if theirs != ours || string(value) != string(eventValue) {
				t.Errorf("libbpf loads %s with map %d, value %q; we pinned map %d, value %q", name, theirs, value, ours, eventValue)
			}
		})
	}
	_, _, err = reuse(t, binary, "events_a", root.Path(), []byte{9, 9, 9, 9})
	if err == nil || !strings.Contains(err.Error(), "No such file") {
		t.Errorf("libbpf looks up a key that nobody wrote: %v", err)
	}
}

// TestWeReuseLibbpfsMap has libbpf pin a map by its name and end; then we load with it, once for the map alone and once for the whole.
func TestWeReuseLibbpfsMap(t *testing.T) {
	testenv.Host(t, "a compiler and libbpf")
	binary := buildReuse(t)
	for name, load := range map[string]func(*pinning.Root, *object.Spec, *pinning.Options) (*object.Object, error){
		"Load": (*pinning.Root).Load, "Ensure": (*pinning.Root).Ensure,
	} {
		t.Run(name, func(t *testing.T) {
			root := newRoot(t)
			theirs, _, err := reuse(t, binary, "events_a", root.Path(), eventKey, eventValue...)
			check(t, err)
			obj, err := load(root, parse(t, "events_a"), flatEvents())
			obj = kept(t, obj, err)
			events := obj.Map("events")
			value := make([]byte, events.ValueSize())
			check(t, events.Lookup(eventKey, value))
			if events.ID() != theirs || string(value) != string(eventValue) {
				t.Errorf("we load with map %d, value %q; libbpf pinned map %d, value %q", events.ID(), value, theirs, eventValue)
			}
			if name == "Load" {
				check(t, root.Pin(obj, flatEvents()))
			}
			check(t, root.Unpin("events_a", nil))
			if _, err := os.Lstat(root.Path() + "/events"); err != nil {
				t.Errorf("the map that libbpf pinned went with our object: %v", err)
			}
		})
	}
}

// TestLibbpfAndWeRefuseTheSameMismatch pins a map of 32 entries and loads objects that want 64 of it, each with the other's pin.
func TestLibbpfAndWeRefuseTheSameMismatch(t *testing.T) {
	testenv.Host(t, "a compiler and libbpf")
	binary := buildReuse(t)
	t.Run("our load, libbpf's pin", func(t *testing.T) {
		root := newRoot(t)
		_, _, err := reuse(t, binary, "events_a", root.Path(), eventKey, eventValue...)
		check(t, err)
		unchanged(t, root, func() {
			_, err := root.Load(parse(t, "events_b_big"), flatEvents())
			want(t, err, object.ErrMismatch, `"events"`, "max entries: want 64, have 32")
			_, err = root.Ensure(parse(t, "events_b_big"), flatEvents())
			want(t, err, object.ErrMismatch, `"events"`, "max entries: want 64, have 32")
		})
	})
	t.Run("libbpf's load, our pin", func(t *testing.T) {
		root := newRoot(t)
		obj, err := root.Ensure(parse(t, "events_a"), flatEvents())
		kept(t, obj, err)
		unchanged(t, root, func() {
			_, _, err := reuse(t, binary, "events_b_big", root.Path(), eventKey)
			if err == nil || !strings.Contains(err.Error(), "parameter mismatch") {
				t.Errorf("libbpf loads with our map of another size: %v", err)
			}
		})
	})
}
