package pinning_test

import (
	"errors"
	"math/rand"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/pinning"
)

func aMap(name string) pinning.Thing     { return pinning.Thing{Kind: pinning.KindMap, Name: name} }
func aProgram(name string) pinning.Thing { return pinning.Thing{Kind: pinning.KindProgram, Name: name} }
func aLink(program, target string) pinning.Thing {
	return pinning.Thing{Kind: pinning.KindLink, Name: program, Target: target}
}

// to overrides the path of t, or leaves it unpinned where path is "".
func to(t pinning.Thing, path string) pinning.Override {
	return pinning.Override{Kind: t.Kind, Name: t.Name, Target: t.Target, Path: path, Skip: path == ""}
}

// placed is the pin of t at a place below /sys/fs/bpf.
func placed(t pinning.Thing, place string, override bool) pinning.Pin {
	return pinning.Pin{Kind: t.Kind, Name: t.Name, Target: t.Target, Path: "/sys/fs/bpf/" + place, Place: place, Override: override}
}

var flowThings = []pinning.Thing{aLink("ingress", "eth0"), aProgram("ingress"), aMap("flows"), aMap(".rodata.cfg"), aLink("ingress", "")}

func TestPlan(t *testing.T) {
	for _, c := range []struct {
		name, root, tree string
		things           []pinning.Thing
		overrides        []pinning.Override
		want             []pinning.Pin
	}{
		{"nothing", "/sys/fs/bpf", "flow", nil, nil, []pinning.Pin{}},
		{"default", "/sys/fs/bpf", "flow@eth0", flowThings, nil, []pinning.Pin{
			placed(aMap(".rodata.cfg"), "flow@eth0/maps/%2Erodata%2Ecfg", false),
			placed(aMap("flows"), "flow@eth0/maps/flows", false),
			placed(aProgram("ingress"), "flow@eth0/programs/ingress", false),
			placed(aLink("ingress", ""), "flow@eth0/links/ingress", false),
			placed(aLink("ingress", "eth0"), "flow@eth0/links/ingress@eth0", false),
		}},
		{"overrides", "//sys/./fs/bpf/", "flow", flowThings, []pinning.Override{
			to(aMap("flows"), "flows"), // flat, as libbpf has it
			to(aMap(".rodata.cfg"), "/sys/fs/bpf/common/%2Erodata%2Ecfg"),
			to(aProgram("ingress"), ""),
			to(aLink("ingress", ""), "flow/links/ingress"), // its default place
			to(aLink("ingress", "eth0"), "flow/extra/one two"),
		}, []pinning.Pin{
			placed(aMap(".rodata.cfg"), "common/%2Erodata%2Ecfg", true),
			placed(aMap("flows"), "flows", true),
			placed(aLink("ingress", ""), "flow/links/ingress", false),
			placed(aLink("ingress", "eth0"), "flow/extra/one two", true),
		}},
		{"places change hands", "/sys/fs/bpf", "x", []pinning.Thing{aMap("a"), aMap("b")},
			[]pinning.Override{to(aMap("a"), "x/maps/b"), to(aMap("b"), "x/maps/a")},
			[]pinning.Pin{placed(aMap("a"), "x/maps/b", true), placed(aMap("b"), "x/maps/a", true)}},
		{"neighbours that only look nested", "/sys/fs/bpf", "x", []pinning.Thing{aMap("a"), aMap("b"), aMap("c")},
			[]pinning.Override{to(aMap("a"), "f"), to(aMap("b"), "f-g/h"), to(aMap("c"), "f\x01")},
			[]pinning.Pin{placed(aMap("a"), "f", true), placed(aMap("b"), "f-g/h", true), placed(aMap("c"), "f\x01", true)}},
		{"a name too long is no matter where it is not pinned", "/sys/fs/bpf", "x", []pinning.Thing{aMap(strings.Repeat("m", 256))},
			[]pinning.Override{to(aMap(strings.Repeat("m", 256)), "")}, []pinning.Pin{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			things, overrides := slices.Clone(c.things), slices.Clone(c.overrides)
			got, err := pinning.Plan(c.root, c.tree, things, overrides)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if !slices.Equal(things, c.things) || !slices.Equal(overrides, c.overrides) {
				t.Error("Plan changed its arguments")
			}
		})
	}
	got, err := pinning.Plan("/", "x", []pinning.Thing{aMap("a")}, []pinning.Override{to(aMap("a"), "/b")})
	if err != nil || got[0].Path != "/b" || got[0].Place != "b" {
		t.Errorf("under the root /: %v, %v, want /b", got, err)
	}
}

func TestPlanRefusesNames(t *testing.T) {
	for _, c := range []struct {
		root, tree string
		thing      pinning.Thing
		says       string
	}{
		{"sys/fs/bpf", "x", aMap("a"), "no absolute path"},
		{"", "x", aMap("a"), "no absolute path"},
		{"/sys/../bpf", "x", aMap("a"), `".."`},
		{"/sys\x00", "x", aMap("a"), "NUL at byte 4"},
		{"/" + strings.Repeat("r", 4095), "x", aMap("a"), "4096 bytes long, over the limit of 4095"},
		{"/" + strings.Repeat("r", 4085), "x", aMap("a"), "4096 bytes long, over the limit of 4095: use a root with a shorter path"}, // a fits, ok does not
		{"/sys/fs/bpf", "", aMap("a"), "lacks a name"},
		{"/sys/fs/bpf", "my.obj", aMap("a"), "0x2e"},
		{"/sys/fs/bpf", "%stage-x", aMap("a"), "reserves"},
		{"/sys/fs/bpf", "x", pinning.Thing{Name: "a"}, "set its Kind"},
		{"/sys/fs/bpf", "x", pinning.Thing{Kind: 4, Name: "a"}, "set its Kind"},
		{"/sys/fs/bpf", "x", aMap(""), "empty"},
		{"/sys/fs/bpf", "x", aLink("", "eth0"), "empty"},
		{"/sys/fs/bpf", "x", pinning.Thing{Kind: pinning.KindMap, Name: "a", Target: "eth0"}, "target"},
		{"/sys/fs/bpf", "x", aMap(strings.Repeat(".", 86)), "258 bytes long, over the limit of 255"},
	} {
		_, err := pinning.Plan(c.root, c.tree, []pinning.Thing{aMap("ok"), c.thing}, nil)
		wantNameError(t, err, c.says)
	}
}

func TestPlanRefusesOverrides(t *testing.T) {
	flows := aMap("flows")
	for _, c := range []struct {
		override pinning.Override
		says     string
	}{
		{to(aMap("flow"), "x"), "override of map flow: \"x\" is for a map that the object does not have"},
		{to(aProgram("flows"), "x"), "is for a program that the object does not have"},
		{to(aLink("ingress", "eth1"), "x"), "link ingress@eth1"},
		{pinning.Override{Name: "flows", Path: "x"}, "kind(0)"},
		{pinning.Override{Kind: pinning.KindMap, Name: "flows"}, "set Path or Skip"},
		{pinning.Override{Kind: pinning.KindMap, Name: "flows", Path: "x", Skip: true}, "one of them only"},
		{to(flows, "/"), "not below the root \"/sys/fs/bpf/\""},
		{to(flows, "/sys/fs/bpf"), "not below the root"},
		{to(flows, "/sys/fs/bpfx/a"), "not below the root"},
		{to(flows, "/run/bpf/a"), "not below the root"},
		{to(flows, "/sys/fs/bpf/"), "empty component"},
		{to(flows, "a//b"), "empty component"},
		{to(flows, "a/"), "empty component"},
		{to(flows, "/sys/fs/bpf//a"), "empty component"},
		{to(flows, "../a"), `".."`},
		{to(flows, "/sys/fs/bpf/../a"), `".."`},
		{to(flows, "a/./b"), `"."`},
		{to(flows, "a.b/c"), `bpffs refuses: write "a%2Eb"`},
		{to(flows, "a/\x00b"), "NUL"},
		{to(flows, "%record"), "reserves"},
		{to(flows, "flow/%record"), "reserves"},
		{to(flows, "%stage-flow/maps/x"), "reserves"},
		{to(flows, "x/"+strings.Repeat("y", 256)), "256 bytes long, over the limit of 255"},
		{to(flows, strings.Repeat("%/", 768)+"x"), "3073 bytes long, over the limit of 3072"},
	} {
		_, err := pinning.Plan("/sys/fs/bpf", "flow", flowThings, []pinning.Override{c.override})
		wantOverrideError(t, err, c.says)
	}
	_, err := pinning.Plan("/"+strings.Repeat("r", 2000), "flow", flowThings, []pinning.Override{to(flows, strings.Repeat("a/", 1100)+"b")})
	wantOverrideError(t, err, "4203 bytes long, over the limit of 4095")
	for _, twice := range [][]pinning.Override{
		{to(flows, "a"), to(flows, "b")},
		{to(flows, "b"), to(flows, "a")},
	} {
		_, err := pinning.Plan("/sys/fs/bpf", "flow", flowThings, twice)
		wantOverrideError(t, err, `"b" is the second override for it, after "a"`)
	}
	longest := strings.Repeat("%/", 767) + "xyza"
	pins, err := pinning.Plan("/sys/fs/bpf", "flow", flowThings, []pinning.Override{to(flows, longest)})
	if err != nil || pins[1].Place != longest {
		t.Errorf("an override of 3072 bytes, escaped: %v", err)
	}
}

func wantOverrideError(t *testing.T, err error, says string) {
	t.Helper()
	var ne *pinning.NameError
	if !errors.As(err, &ne) || !errors.Is(err, pinning.ErrOverride) || errors.Is(err, pinning.ErrName) {
		t.Fatalf("error %v, want a NameError with ErrOverride that says %q", err, says)
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("error %q does not say %q", err, says)
	}
}

// randomThings returns different things with names that try to meet.
func randomThings(r *rand.Rand) []pinning.Thing {
	seen := map[pinning.Thing]bool{}
	for range r.Intn(60) {
		t := pinning.Thing{Kind: pinning.Kind(r.Intn(3) + 1), Name: awkward(r)}
		if t.Kind == pinning.KindLink {
			t.Target = awkward(r)
		}
		switch {
		case t.Name == "":
			t.Name = strings.Repeat("long", 20) + awkward(r)
		case r.Intn(30) == 0:
			t.Name += strings.Repeat(".", 70)
		}
		seen[t] = true
	}
	var things []pinning.Thing
	for t := range seen {
		things = append(things, t)
	}
	slices.SortFunc(things, func(a, b pinning.Thing) int { return strings.Compare(a.String(), b.String()) })
	return things
}

func TestDefaultLayoutHasNoConflicts(t *testing.T) {
	r := rand.New(rand.NewSource(4))
	for range rounds(1000) {
		things := randomThings(r)
		tree, err := pinning.TreeName("o"+awkward(r), awkward(r))
		if err != nil {
			t.Fatal(err)
		}
		pins, err := pinning.Plan("/sys/fs/bpf", tree, things, nil)
		if err != nil {
			t.Fatalf("%q: %v", things, err)
		}
		if len(pins) != len(things) {
			t.Fatalf("%d pins for %d things", len(pins), len(things))
		}
		checkDisjoint(t, pins)
	}
}

// checkDisjoint compares every pin with every other.
func checkDisjoint(t *testing.T, pins []pinning.Pin) {
	t.Helper()
	for i, a := range pins {
		for j, b := range pins {
			if i != j && (a.Path == b.Path || strings.HasPrefix(b.Path, a.Path+"/")) {
				t.Fatalf("%v at %q and %v at %q meet", a, a.Path, b, b.Path)
			}
		}
	}
}

func TestTreesOfDifferentObjectsAreDisjoint(t *testing.T) {
	r := rand.New(rand.NewSource(5))
	from := map[string][2]string{}
	for range rounds(100_000) {
		pair := [2]string{"o" + awkward(r), awkward(r)}
		tree, err := pinning.TreeName(pair[0], pair[1])
		if err != nil {
			t.Fatal(err)
		}
		if other, seen := from[tree]; seen && other != pair {
			t.Fatalf("%q and %q share the tree %q", pair, other, tree)
		}
		from[tree] = pair
	}
}

// randomOverrides moves some things to a few places, so that they often meet.
func randomOverrides(r *rand.Rand, things []pinning.Thing) []pinning.Override {
	var overrides []pinning.Override
	for _, t := range things {
		if r.Intn(8) != 0 {
			continue
		}
		depth := 1 + r.Intn(3)
		var place []string
		for range depth {
			place = append(place, []string{"a", "b", "flow", "maps", "links", "c-d", "c"}[r.Intn(7)]+strconv.Itoa(r.Intn(4)))
		}
		overrides = append(overrides, to(t, strings.Join(place, "/")))
	}
	return overrides
}

func TestPlanDoesNotDependOnOrder(t *testing.T) {
	r := rand.New(rand.NewSource(6))
	planned, refused := 0, 0
	for range rounds(1000) {
		things := randomThings(r)
		overrides := randomOverrides(r, things)
		want, wantErr := pinning.Plan("/sys/fs/bpf", "flow", things, overrides)
		r.Shuffle(len(things), func(i, j int) { things[i], things[j] = things[j], things[i] })
		r.Shuffle(len(overrides), func(i, j int) { overrides[i], overrides[j] = overrides[j], overrides[i] })
		got, gotErr := pinning.Plan("/sys/fs/bpf", "flow", things, overrides)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(errorText(wantErr), errorText(gotErr)); diff != "" {
			t.Fatal(diff)
		}
		if wantErr != nil {
			refused++
			continue
		}
		planned++
		checkDisjoint(t, got)
	}
	if planned < 10 || refused < 10 {
		t.Errorf("%d plans and %d refusals: the test should see plenty of both", planned, refused)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{40, 400, 4000} {
		var things []pinning.Thing
		for i := range n {
			things = append(things, pinning.Thing{Kind: pinning.Kind(i%3 + 1), Name: ".some.longer_name_" + strconv.Itoa(i)})
		}
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := pinning.Plan("/sys/fs/bpf", "flow", things, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
