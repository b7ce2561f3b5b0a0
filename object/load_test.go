package object_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// load loads a test object, and closes it with the test.
func load(t testing.TB, name string) *object.Object {
	t.Helper()
	return loadSpec(t, open(t, name), nil)
}

// loadSpec loads a spec; without options, with those that it needs.
func loadSpec(t testing.TB, s *object.Spec, opts *object.LoadOptions) *object.Object {
	t.Helper()
	testenv.Root(t)
	if opts == nil {
		opts = needed(t, s)
	}
	o, err := s.Load(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, o.Close()) })
	return o
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantError fails the test unless the error is of that kind and its text has each of the parts, in that order.
func wantError(t testing.TB, err, kind error, parts ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("error %v, want one that is %v", err, kind)
	}
	rest := err.Error()
	for _, part := range parts {
		_, after, found := strings.Cut(rest, part)
		if !found {
			t.Fatalf("error %q has no %q where it should be", err, part)
		}
		rest = after
	}
}

// refusals are the objects that this package or the kernel refuses, with what the error says.
var refusals = map[string]struct {
	kind  error
	parts []string
}{
	"core_custom":    {object.ErrVerifier, []string{`"ask"`, "the kernel has no type of that kind and name"}},
	"core_custom-be": {object.ErrUnsupported, []string{"big-endian"}},
	"core_types-be":  {object.ErrUnsupported, []string{"big-endian"}},
	"counter-be":     {object.ErrUnsupported, []string{"big-endian"}},
	"globals-be":     {object.ErrUnsupported, []string{"big-endian"}},
	"legacy-be":      {object.ErrUnsupported, []string{"big-endian"}},
	"counter_v2-be":  {object.ErrUnsupported, []string{"big-endian"}},
	"maps-be":        {object.ErrUnsupported, []string{"big-endian"}},
	"subprogs-be":    {object.ErrUnsupported, []string{"big-endian"}},
	"struct_ops":     {object.ErrUnsupported, []string{object.FeatureStructOps}},
	"freplace":       {object.ErrSpec, []string{`"decide_otherwise"`, "set AttachProgram"}},
	"rejected":       {object.ErrVerifier, []string{`"out_of_bounds"`, `"socket"`, "invalid access to map value", "permission denied", "the log ends"}},
}

// TestLoadEveryObject loads everything that there is.
func TestLoadEveryObject(t *testing.T) {
	testenv.Root(t)
	loaded := 0
	for _, file := range objects(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".bpf.o")
		if name == "legacy_odd" {
			continue // Open refuses it
		}
		t.Run(name, func(t *testing.T) {
			s := open(t, name)
			want, refused := refusals[name]
			if says, kind := wantedHere(t, name); kind != nil {
				want.kind, want.parts, refused = kind, []string{says}, true
			}
			if want.kind != object.ErrUnsupported {
				testenv.Object(t, objectsDir, name)
			}
			o, err := s.Load(needed(t, s))
			if refused {
				wantError(t, err, want.kind, append([]string{"load object", name}, want.parts...)...)
				return
			}
			if slices.ContainsFunc(s.Programs, func(p *object.ProgramSpec) bool { return p.Type == sys.ProgTypeTracing || p.Type == sys.ProgTypeLSM }) {
				testenv.Allowed(t, err, "a program that traces")
			}
			check(t, err)
			loaded++
			checkLoaded(t, s, o)
			check(t, o.Close())
			check(t, o.Close())
		})
	}
	if loaded < 25 {
		t.Errorf("only %d objects were loaded", loaded)
	}
}

// checkLoaded compares an object with its spec.
func checkLoaded(t *testing.T, s *object.Spec, o *object.Object) {
	t.Helper()
	var want, got []string
	for _, m := range s.Maps {
		want = append(want, fmt.Sprintf("map %s %s", m.Name, m.Type))
		if err := m.Compatible(o.Map(m.Name)); err != nil {
			t.Errorf("what was loaded does not fit its own spec: %v", err)
		}
	}
	for _, p := range s.Programs {
		if p.Autoload {
			want = append(want, fmt.Sprintf("program %s %s", p.Name, p.Type))
		}
	}
	for _, m := range o.Maps() {
		got = append(got, fmt.Sprintf("map %s %s", m.Name(), m.Type()))
	}
	for _, p := range o.Programs() {
		got = append(got, fmt.Sprintf("program %s %s", p.Name(), p.Type()))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := o.WithoutBTF(); (err != nil) != (s.Name == "btf_refused") {
		t.Errorf("why it was loaded without BTF: %v", err)
	}
	if o.Spec() != s || o.Name() != s.Name {
		t.Errorf("the object is of spec %p called %q, not %p called %q", o.Spec(), o.Name(), s, s.Name)
	}
}

// TestLoadIsParallel loads with one goroutine and with eight, and compares what comes out.
func TestLoadIsParallel(t *testing.T) {
	tags := func(workers int) (all []string) {
		o := loadSpec(t, open(t, "many"), &object.LoadOptions{Workers: workers})
		for _, p := range o.Programs() {
			all = append(all, fmt.Sprintf("%s %x", p.Name(), p.Tag()))
		}
		return all
	}
	one := tags(1)
	if len(one) != 30 {
		t.Errorf("%d programs, want 30", len(one))
	}
	if diff := cmp.Diff(one, tags(8)); diff != "" {
		t.Errorf("one worker and eight differ, -one +eight:\n%s", diff)
	}
}

// TestLoadFirstError breaks three programs: the error must always be about the first.
func TestLoadFirstError(t *testing.T) {
	testenv.Root(t)
	for _, workers := range []int{1, 2, 8, 100} {
		for range 5 {
			s := open(t, "many")
			for _, i := range []int{7, 8, 20} {
				s.Programs[i].Type = sys.ProgTypeTracepoint // which has no packet
			}
			_, err := s.Load(&object.LoadOptions{Workers: workers})
			wantError(t, err, object.ErrVerifier, fmt.Sprintf("%q", s.Programs[7].Name))
		}
	}
}

func TestVerifierError(t *testing.T) {
	testenv.Root(t)
	_, err := open(t, "rejected").Load(&object.LoadOptions{LogLevel: 2})
	var refused *object.VerifierError
	if !errors.As(err, &refused) || !errors.Is(err, unix.EACCES) || !errors.Is(err, object.ErrVerifier) {
		t.Fatalf("error %v, want a VerifierError with EACCES", err)
	}
	if refused.Program != "out_of_bounds" || refused.Section != "socket" || !strings.Contains(refused.Log, "map_lookup_elem") {
		t.Errorf("program %q in section %q, log:\n%s", refused.Program, refused.Section, refused.Log)
	}
	if _, text, _ := strings.Cut(err.Error(), "refused program"); strings.Index(text, "invalid access") > strings.Index(text, "\n") {
		t.Errorf("the reason does not come first: %v", err)
	}
}

// TestLoadLongLog has the verifier write a log that the first buffer has no room for: the programs are refused after a long loop.
func TestLoadLongLog(t *testing.T) {
	testenv.Root(t)
	s := open(t, "many")
	s.Map(".bss").Flags = unix.BPF_F_RDONLY_PROG
	_, err := s.Load(&object.LoadOptions{LogLevel: 2})
	var refused *object.VerifierError
	if !errors.As(err, &refused) {
		t.Fatalf("error %v, want a VerifierError", err)
	}
	wantError(t, err, unix.EACCES, `"work_0"`, "write into map forbidden")
	if len(refused.Log) < 1<<17 || !strings.Contains(refused.Log, "\n0: ") {
		t.Errorf("the log has %d bytes and begins %.100q", len(refused.Log), refused.Log)
	}
}

// TestLoadBadSpec changes specs into what cannot be loaded. The kernel must not be asked, and there must be no panic.
func TestLoadBadSpec(t *testing.T) {
	for name, c := range map[string]struct {
		object string
		change func(s *object.Spec)
		want   string
	}{
		"no entries":      {"counter", func(s *object.Spec) { s.Map("packets").MaxEntries = 0 }, "0 entries"},
		"short data":      {"counter", func(s *object.Spec) { s.Map(".bss").Data = make([]byte, 1) }, "1 bytes of Data, but its ValueSize is"},
		"large value":     {"counter", func(s *object.Spec) { s.Map(".rodata").ValueSize = 1 << 30 }, "its ValueSize is 1073741824"},
		"data in a hash":  {"counter", func(s *object.Spec) { s.Map(".bss").Type = sys.MapTypeHash }, "must be an array"},
		"data, long keys": {"counter", func(s *object.Spec) { s.Map(".bss").KeySize = 8 }, "keys of 8"},
		"no type":         {"counter", func(s *object.Spec) { s.Programs[0].Type = 0 }, `section "cgroup_skb/ingress"`},
		"nil map":         {"counter", func(s *object.Spec) { s.Maps[1] = nil }, `its map 1 is not ".rodata"`},
		"swapped maps":    {"counter", func(s *object.Spec) { s.Maps[1], s.Maps[2] = s.Maps[2], s.Maps[1] }, `its map 1 is not ".rodata"`},
		"copied map":      {"counter", func(s *object.Spec) { s.Maps[0] = &object.MapSpec{Name: "packets"} }, "replaced"},
		"deleted map":     {"counter", func(s *object.Spec) { s.Maps = slices.Delete(s.Maps, 0, 1) }, "added or taken away"},
		"map for another": {"counter", func(s *object.Spec) { s.Maps = append(s.Maps[1:], s.Maps[0]) }, `its map 0 is not "packets"`},
		"nil program":     {"counter", func(s *object.Spec) { s.Programs[1] = nil }, "added or taken away"},
		"less maps":       {"counter", func(s *object.Spec) { s.Maps = s.Maps[1:] }, "added or taken away"},
		"license":         {"counter", func(s *object.Spec) { s.License = "GPL\x00" }, "NUL"},
		"unknown program": {"tailcall", func(s *object.Spec) { s.Map("jumps").Slots[0].Name = "nobody" }, `"nobody", which there is not`},
		"idle program":    {"tailcall", func(s *object.Spec) { s.Program("first").Autoload = false }, "not to be loaded"},
		"unknown map":     {"map_in_map", func(s *object.Spec) { s.Map("by_hash").Slots[0].Name = "nobody" }, `"nobody", which there is not`},
		"slots in a hash": {"map_in_map", func(s *object.Spec) { s.Map("by_hash").Type = sys.MapTypeHash }, "only program arrays and maps of maps"},
		"long slot keys":  {"map_in_map", func(s *object.Spec) { s.Map("by_hash").KeySize = 8 }, "keys of 8"},
		"no inner":        {"map_in_map", func(s *object.Spec) { s.Map("by_hash").Inner = nil }, "set Inner"},
		"longer kconfig": {"kconfig", func(s *object.Spec) {
			m := s.Map(".kconfig")
			m.ValueSize, m.Data = 16, make([]byte, 16)
		}, "its externs have 13 bytes"},
		"no target": {"iter", func(s *object.Spec) { s.Programs[0].AttachTo = "" }, "does not say what it is for"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, c.object)
			c.change(s)
			o, err := s.Load(&object.LoadOptions{KernelTypes: runningKernel(t), Kconfig: object.ParseKconfig(nil)})
			if o != nil {
				o.Close()
			}
			wantError(t, err, object.ErrSpec, c.want)
		})
	}
	if _, err := new(object.Spec).Load(nil); !errors.Is(err, object.ErrSpec) {
		t.Errorf("the zero Spec: %v", err)
	}
}

// TestLoadAdvice looks at what errors of the kernel say.
func TestLoadAdvice(t *testing.T) {
	testenv.Root(t)
	for name, c := range map[string]struct {
		object string
		change func(s *object.Spec)
		kind   error
		parts  []string
	}{
		"map type":     {"counter", func(s *object.Spec) { s.Map("packets").Type = 999 }, unix.EINVAL, []string{"create map", `"packets"`}},
		"no such hook": {"iter", func(s *object.Spec) { s.Programs[0].AttachTo = "nowhere" }, unix.ENOENT, []string{`"list_maps"`, `"bpf_iter_nowhere"`}},
		"module":       {"iter", func(s *object.Spec) { s.Programs[0].AttachTo = "mod:name" }, unix.ENOENT, []string{`module "mod" is not loaded, or has no func "bpf_iter_name"`}},
		"program type": {"counter", func(s *object.Spec) { s.Programs[0].Type = 999 }, unix.EINVAL, []string{`"count_ingress"`}},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, c.object)
			c.change(s)
			_, err := s.Load(&object.LoadOptions{KernelTypes: runningKernel(t)})
			wantError(t, err, c.kind, c.parts...)
		})
	}
}
