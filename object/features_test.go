package object_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pinion-bpf/pinion/object"
)

func TestUnsupported(t *testing.T) {
	structOps := func(name string) object.Feature {
		return object.Feature{Kind: object.FeatureStructOps, Where: `function "` + name + `" in section "struct_ops/` + name + `"`}
	}
	for name, want := range map[string][]object.Feature{
		"counter": nil,
		"core":    nil,
		"struct_ops": {
			{Kind: object.FeatureStructOps, Where: `section ".struct_ops"`},
			structOps("ssthresh"), structOps("cong_avoid"), structOps("undo_cwnd"),
		},
	} {
		s := open(t, name)
		if diff := cmp.Diff(want, s.Unsupported()); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		a := object.NewAssembler(s)
		for _, p := range s.Programs {
			if _, err := a.Assemble(p.Name, nil); name == "core" {
				checkError(t, err, object.ErrNoKernelTypes, p.Name)
			} else if want != nil {
				checkError(t, err, object.ErrUnsupported, p.Name)
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestUnsupportedPart wants a good program put together although another one, and a subprogram that it does not call, need an extern.
func TestUnsupportedPart(t *testing.T) {
	m := sample()
	m.parts[partText].data = join(load64, exit, exit)
	m.parts[partText].rels = []rel{{0, 1, symExtern}}
	m.syms[symSub] = sym{"sub", 1, 2, 0, partText, 24, 8}
	m.syms = append(m.syms, sym{"bad", 0, 2, 0, partText, 0, 24}, sym{"other", 1, 2, 0, partBSS + 1, 0, 16})
	m.parts = append(m.parts, part{name: "xdp", flags: exec, data: join(call, exit), rels: []rel{{0, 10, len(m.syms) - 2}}})
	s, err := m.parse()
	if err != nil {
		t.Fatal(err)
	}
	want := []object.Feature{{Kind: object.FeatureExtern, Where: `"missing" in function "bad" in section ".text", instruction 0`}}
	if diff := cmp.Diff(want, s.Unsupported()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	a := object.NewAssembler(s)
	_, err = a.Assemble("other", nil)
	checkError(t, err, object.ErrUnsupported, `"missing" in function "bad"`)
	if _, err := a.Assemble("main", nil); err != nil {
		t.Error(err)
	}
}

func TestReferencesError(t *testing.T) {
	m := sample()
	m.parts[partProgram].rels[0].typ = 2
	s, err := m.parse()
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Program("main").References()
	checkError(t, err, object.ErrFormat, "its type is 2")
}

// TestAllocations holds parsing to a number that does not grow with what the object has.
func TestAllocations(t *testing.T) {
	for _, name := range []string{"many", "maps", "sock_addr"} {
		data, err := os.ReadFile(path(name))
		if err != nil {
			t.Fatal(err)
		}
		n := testing.AllocsPerRun(20, func() {
			if _, err := object.Parse("x", data); err != nil {
				t.Fatal(err)
			}
		})
		if n > 30 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for _, name := range []string{"many", "maps", "counter", "subprogs"} {
		b.Run(name, func(b *testing.B) {
			data, err := os.ReadFile(path(name))
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := object.Parse("x", data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAssemble(b *testing.B) {
	s := open(b, "many")
	b.ReportAllocs()
	for b.Loop() {
		a := object.NewAssembler(s)
		for _, p := range s.Programs {
			if _, err := a.Assemble(p.Name, nil); err != nil {
				b.Fatal(err)
			}
		}
	}
}
