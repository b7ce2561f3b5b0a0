package object_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pinion-bpf/pinion/object"
)

var update = flag.Bool("update", false, "write what the specs are now to testdata/golden; read the difference before you commit it")

const objectsDir = "../testdata/bpf"

// objects returns the paths of all test objects.
func objects(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(objectsDir, "*.bpf.o"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no objects in testdata/bpf: %v", err)
	}
	return names
}

// path returns a test object's path.
func path(name string) string { return filepath.Join(objectsDir, name+".bpf.o") }

func open(t testing.TB, name string) *object.Spec {
	t.Helper()
	s, err := object.Open(path(name))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestGolden compares the Spec of every test object with what its C source says, as it was read from there once.
func TestGolden(t *testing.T) {
	for _, file := range objects(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".bpf.o")
		t.Run(name, func(t *testing.T) {
			got := ""
			if s, err := object.Open(file); err != nil {
				got = "error: " + strings.ReplaceAll(err.Error(), file, filepath.Base(file)) + "\n"
			} else {
				got = describe(t, s)
			}
			golden := filepath.Join("testdata", "golden", name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// describe writes down all that a Spec says.
func describe(t testing.TB, s *object.Spec) string {
	var b strings.Builder
	fmt.Fprintf(&b, "object %q license %q version %#x big-endian %t\n", s.Name, s.License, s.Version, s.BigEndian())
	for _, m := range s.Maps {
		describeMap(&b, m)
	}
	for _, v := range s.Variables {
		value, err := v.Get()
		if err != nil {
			t.Error(err)
		}
		fmt.Fprintf(&b, "variable %s in %s at %d: % x\n", v.Name(), v.Map().Name, v.Offset(), value)
	}
	for _, p := range s.Programs {
		describeProgram(t, &b, p)
	}
	for _, e := range s.Externs() {
		fmt.Fprintf(&b, "extern %s: %s, weak %t\n", e.Name, e.Kind, e.Weak)
	}
	for _, f := range s.Unsupported() {
		fmt.Fprintf(&b, "unsupported %s: %s\n", f.Kind, f.Where)
	}
	return b.String()
}

func describeMap(b *strings.Builder, m *object.MapSpec) {
	key, value := m.Types()
	fmt.Fprintf(b, "map %s in %s: %s key %d value %d entries %d flags %#x numa %d extra %d types %t %t\n",
		m.Name, m.Section, m.Type, m.KeySize, m.ValueSize, m.MaxEntries, m.Flags, m.NUMANode, m.Extra, key != 0, value != 0)
	if m.Pinning != 0 {
		fmt.Fprintf(b, "  pinning %d ignored %t\n", m.Pinning, m.PinIgnored())
	}
	for _, slot := range m.Slots {
		fmt.Fprintf(b, "  slot %d %s\n", slot.Index, slot.Name)
	}
	if m.Data != nil {
		fmt.Fprintf(b, "  data %d bytes, freeze %t\n", len(m.Data), m.Freeze)
	}
	if m.Inner != nil {
		b.WriteString("  inner ")
		describeMap(b, m.Inner)
	}
}

func describeProgram(t testing.TB, b *strings.Builder, p *object.ProgramSpec) {
	fmt.Fprintf(b, "program %s in %s: %s attach %s to %q flags %#x autoload %t autoattach %t, %d instructions\n",
		p.Name, p.Section, p.Type, p.AttachType, p.AttachTo, p.Flags, p.Autoload, p.Autoattach, p.Instructions())
	refs, err := p.References()
	if err != nil {
		t.Error(err)
	}
	for _, r := range refs {
		fmt.Fprintf(b, "  %d: %s %s+%d\n", r.Instruction, r.Kind, r.Name, r.Offset)
	}
}

// TestByteOrders wants the same from both builds of one source.
func TestByteOrders(t *testing.T) {
	for _, name := range []string{"counter", "globals", "legacy", "maps", "subprogs"} {
		little, big := open(t, name), open(t, name+"-be")
		if little.BigEndian() || !big.BigEndian() {
			t.Errorf("%s: big-endian %t and %t", name, little.BigEndian(), big.BigEndian())
		}
		place := func(v *object.Variable) string {
			return fmt.Sprintf("%s %s %d %d", v.Name(), v.Map().Name, v.Offset(), v.Size())
		}
		if diff := cmp.Diff(names(little.Variables, place), names(big.Variables, place)); diff != "" {
			t.Errorf("%s: -little +big:\n%s", name, diff)
		}
		little.Variables, big.Variables = nil, nil // their values are in the object's byte order
		clean := func(s *object.Spec) string {
			text := describe(t, s)
			_, text, _ = strings.Cut(text, "\n")
			return text
		}
		if diff := cmp.Diff(clean(little), clean(big)); diff != "" {
			t.Errorf("%s: -little +big:\n%s", name, diff)
		}
	}
}

// TestDeterministic reads every object twice.
func TestDeterministic(t *testing.T) {
	for _, file := range objects(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		a, err := object.Parse("x", data)
		b, again := object.Parse("x", append([]byte(nil), data...))
		if fmt.Sprint(err) != fmt.Sprint(again) {
			t.Errorf("%s: %v, then %v", file, err, again)
		}
		if err != nil {
			continue
		}
		if diff := cmp.Diff(describe(t, a), describe(t, b)); diff != "" || a.Digest() != b.Digest() {
			t.Errorf("%s: digests %x and %x, %s", file, a.Digest(), b.Digest(), diff)
		}
	}
}
