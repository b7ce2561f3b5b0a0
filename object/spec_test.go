package object_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pinion-bpf/pinion/internal/sha256"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
	"golang.org/x/sys/unix"
)

// ignoreUnexported compares the exported fields of specs.
var ignoreUnexported = cmp.FilterPath(func(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && field.Name()[0] >= 'a'
}, cmp.Ignore())

func TestSpec(t *testing.T) {
	got := open(t, "counter")
	if got.Name != "counter" || got.License != "Dual BSD/GPL" || got.Version != 0 || len(got.Unsupported()) != 0 {
		t.Errorf("%q, %q, %d, %v", got.Name, got.License, got.Version, got.Unsupported())
	}
	want := []string{"packets", ".rodata", ".bss"}
	if diff := cmp.Diff(want, names(got.Maps, func(m *object.MapSpec) string { return m.Name })); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got.Map("packets") == nil || got.Map("absent") != nil || got.Program("count_egress") == nil || got.Program("absent") != nil {
		t.Error("lookups by name")
	}
	program := &object.ProgramSpec{
		Name: "count_egress", Section: "cgroup_skb/egress", Type: sys.ProgTypeCgroupSKB, AttachType: sys.AttachTypeCgroupInetEgress, Autoload: true,
	}
	if diff := cmp.Diff(program, got.Program("count_egress"), ignoreUnexported); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func names[T any](all []T, name func(T) string) (result []string) {
	for _, one := range all {
		result = append(result, name(one))
	}
	return result
}

func TestVariables(t *testing.T) {
	s := open(t, "globals")
	v := s.Variable("corner")
	if v.Name() != "corner" || v.Size() != 8 || v.Map() != s.Map(".data") {
		t.Fatalf("%q of %d bytes in %v", v.Name(), v.Size(), v.Map())
	}
	value := binary.NativeEndian.AppendUint64(nil, 42)
	if err := v.Set(value); err != nil {
		t.Fatal(err)
	}
	got, err := v.Get()
	if err != nil || !bytes.Equal(got, value) || !bytes.Equal(v.Map().Data[v.Offset():][:8], value) {
		t.Errorf("% x, %v, want % x", got, err, value)
	}
	got[0]++ // a copy
	if again, _ := v.Get(); !bytes.Equal(again, value) {
		t.Error("Get gave the map's own bytes")
	}
	if before, _ := open(t, "globals").Variable("corner").Get(); bytes.Equal(before, value) {
		t.Error("the change is seen in another Spec")
	}
	checkFails(t, v.Set(value[:7]), "the value has 7 bytes, the variable 8")
	for _, name := range []string{"hidden", "secret", "counts", "absent"} {
		v := s.Variable(name)
		_, err := v.Get()
		if v != nil || !errors.Is(err, object.ErrNoVariable) || !errors.Is(v.Set(nil), object.ErrNoVariable) {
			t.Errorf("%s: %v, %v", name, v, err)
		}
		if v.Name() != "" || v.Size() != 0 || v.Offset() != 0 || v.Map() != nil {
			t.Errorf("%s: a variable that is not there has something", name)
		}
	}
	v.Map().Data = v.Map().Data[:8]
	checkFails(t, v.Set(value), "ends at byte 20")
}

func checkFails(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte(want)) {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestDefaultName(t *testing.T) {
	for path, want := range map[string]string{
		"flow.bpf.o":              "flow",
		"/opt/agent/flow.bpf.o":   "flow",
		"flow.o":                  "flow",
		"flow.elf":                "flow",
		"flow":                    "flow",
		"flow.v2.bpf.o":           "flow.v2",
		"flow_bpfel.o":            "flow_bpfel",
		"bpf_bpfel.o":             "",
		"bpf_bpfeb.o":             "",
		"bpf_x86_bpfel.o":         "",
		"bpf_arm64_bpfel.o":       "",
		"dir/bpf_s390_bpfeb.o":    "",
		"bpf_powerpc_bpfel.o":     "",
		"bpf_flow_bpfel.o":        "bpf_flow_bpfel",
		"bpf.o":                   "",
		"bpf.bpf.o":               "",
		"bpf":                     "",
		"bpfilter_x86_bpfel.o":    "bpfilter_x86_bpfel",
		"bpf_x86 arm_bpfel.bpf.o": "bpf_x86 arm_bpfel",
		"bpf_bpfel_bpfeb.o":       "bpf_bpfel_bpfeb",
		"":                        "",
	} {
		if got := object.DefaultName(path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.o")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(dir, "large.o")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 64<<20+1); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "pipe.o")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		empty: "elf: truncated", large: "67108865 bytes; at most", pipe: "no regular file", dir: "no regular file",
	} {
		_, err := object.Open(path)
		checkFails(t, err, want)
	}
	if _, err := object.Open(filepath.Join(dir, "absent")); !errors.Is(err, unix.ENOENT) {
		t.Errorf("%v, want ENOENT", err)
	}
}

// TestDigest changes everything that may be changed, one at a time: each must change the digest, and only the digest of the Spec. The name alone is no
// part of it.
func TestDigest(t *testing.T) {
	data, err := os.ReadFile(path("map_in_map"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[[32]byte]int{}
	changes := []func(s *object.Spec){
		func(s *object.Spec) {},
		func(s *object.Spec) { s.License = "GPL" },
		func(s *object.Spec) { s.Version++ },
		func(s *object.Spec) { s.Maps[0].Type++ },
		func(s *object.Spec) { s.Maps[0].KeySize++ },
		func(s *object.Spec) { s.Maps[0].ValueSize++ },
		func(s *object.Spec) { s.Maps[0].MaxEntries++ },
		func(s *object.Spec) { s.Maps[0].Flags++ },
		func(s *object.Spec) { s.Maps[0].NUMANode++ },
		func(s *object.Spec) { s.Maps[0].Extra++ },
		func(s *object.Spec) { s.Maps[0].Pinning++ },
		func(s *object.Spec) { s.Maps[0].Freeze = true },
		func(s *object.Spec) { s.Maps[0].Data = []byte{0} },
		func(s *object.Spec) { s.Maps[1].MaxEntries++ },
		func(s *object.Spec) { s.Maps[2].Inner.MaxEntries++ },
		func(s *object.Spec) { s.Maps[2].Inner = nil },
		func(s *object.Spec) { s.Maps[2].Slots[0].Index = 1 },
		func(s *object.Spec) { s.Maps[2].Slots[0].Name = "blue" },
		func(s *object.Spec) { s.Maps[2].Slots = nil },
		func(s *object.Spec) { s.Programs[0].Type++ },
		func(s *object.Spec) { s.Programs[0].AttachType++ },
		func(s *object.Spec) { s.Programs[0].AttachTo = "x" },
		func(s *object.Spec) { s.Programs[0].Flags++ },
		func(s *object.Spec) { s.Programs[0].Autoload = false },
		func(s *object.Spec) { s.Programs[0].Autoattach = true },
	}
	for i, change := range changes {
		s, err := object.Parse("x", data)
		if err != nil {
			t.Fatal(err)
		}
		change(s)
		digest := s.Digest()
		s.Name = "y"
		if s.Digest() != digest {
			t.Errorf("change %d: the name changes the digest", i)
		}
		if j, found := seen[s.Digest()]; found {
			t.Errorf("changes %d and %d give one digest", i, j)
		}
		seen[s.Digest()] = i
		if s.ELFDigest() != sha256.Sum(data) {
			t.Errorf("change %d changes the digest of the file", i)
		}
	}
}

// TestSectionTable wants every row to be reachable: none may be hidden by one before it.
func TestSectionTable(t *testing.T) {
	rows := object.SectionTable()
	if len(rows) != 116 {
		t.Errorf("%d rows, want libbpf 1.7's 105 and 11 newer ones", len(rows))
	}
	for _, row := range rows {
		check := func(section, target string) {
			m := image{typ: 1, machine: 247, parts: []part{{name: section, flags: exec, data: exit}}, syms: []sym{{"f", 1, 2, 0, 0, 0, 8}}}
			s, err := m.parse()
			if err != nil {
				t.Fatal(err)
			}
			want := &object.ProgramSpec{Name: "f", Section: section, Type: row.ProgType, AttachType: row.AttachType, AttachTo: target, Autoload: true}
			got := s.Programs[0]
			want.Flags, want.Autoattach = got.Flags, got.Autoattach
			if diff := cmp.Diff(want, got, ignoreUnexported); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		}
		check(row.Name, "")
		if row.More {
			check(row.Name+"/to/what", "to/what")
		}
	}
}

func TestSections(t *testing.T) {
	for _, test := range []object.ProgramSpec{
		{Section: "xdp", Type: sys.ProgTypeXDP, AttachType: sys.AttachTypeXDP, Autoload: true},
		{Section: "?xdp", Type: sys.ProgTypeXDP, AttachType: sys.AttachTypeXDP},
		{Section: "xdp.frags", Type: sys.ProgTypeXDP, AttachType: sys.AttachTypeXDP, Flags: unix.BPF_F_XDP_HAS_FRAGS, Autoload: true},
		{Section: "xdp/unknown"},
		{Section: "xdpx"},
		{Section: "my_section"},
		{Section: "kprobe", Type: sys.ProgTypeKprobe, Autoload: true},
		{Section: "kprobe/", Type: sys.ProgTypeKprobe, Autoload: true},
		{Section: "kprobe/do_exit", Type: sys.ProgTypeKprobe, AttachTo: "do_exit", Autoload: true, Autoattach: true},
		{Section: "tp/sched/sched_switch", Type: sys.ProgTypeTracepoint, AttachTo: "sched/sched_switch", Autoload: true, Autoattach: true},
		{Section: "lsm.s/bpf", Type: sys.ProgTypeLSM, AttachType: sys.AttachTypeLSMMac, AttachTo: "bpf", Flags: unix.BPF_F_SLEEPABLE, Autoload: true, Autoattach: true},
		{Section: "cgroup_skb/egress", Type: sys.ProgTypeCgroupSKB, AttachType: sys.AttachTypeCgroupInetEgress, Autoload: true},
		{Section: "syscall", Type: sys.ProgTypeSyscall, Flags: unix.BPF_F_SLEEPABLE, Autoload: true},
	} {
		m := image{typ: 1, machine: 247, parts: []part{{name: test.Section, flags: exec, data: exit}}, syms: []sym{{"f", 1, 2, 0, 0, 0, 8}}}
		s, err := m.parse()
		if err != nil {
			t.Fatal(err)
		}
		test.Name = "f"
		if test.Section[0] == '?' {
			test.Section = test.Section[1:]
		}
		if diff := cmp.Diff(&test, s.Programs[0], ignoreUnexported); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}
