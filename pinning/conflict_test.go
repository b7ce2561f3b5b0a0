package pinning_test

import (
	"errors"
	"math/rand"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/pinning"
)

func TestConflict(t *testing.T) {
	a, b, p := aMap("a"), aMap("b"), aProgram("p")
	for _, c := range []struct {
		name      string
		things    []pinning.Thing
		overrides []pinning.Override
		want      pinning.ConflictError
	}{
		{"one thing twice", []pinning.Thing{a, b, a}, nil,
			pinning.ConflictError{Path: "/r/flow/maps/a", First: "map a", Second: "map a"}},
		{"two overrides", []pinning.Thing{p, b, a}, []pinning.Override{to(a, "x/y"), to(p, "/r/x/y")},
			pinning.ConflictError{Path: "/r/x/y", First: "map a", Second: "program p"}},
		{"an override and a default place", []pinning.Thing{a, b}, []pinning.Override{to(b, "flow/maps/a")},
			pinning.ConflictError{Path: "/r/flow/maps/a", First: "map a", Second: "map b"}},
		{"inside an override", []pinning.Thing{a, b, p}, []pinning.Override{to(a, "x/y"), to(p, "x"), to(b, "x-z")},
			pinning.ConflictError{Path: "/r/x", Inside: "/r/x/y", First: "program p", Second: "map a"}},
		{"far inside", []pinning.Thing{a, b, p}, []pinning.Override{to(a, "x"), to(p, "x/1/2/3")},
			pinning.ConflictError{Path: "/r/x", Inside: "/r/x/1/2/3", First: "map a", Second: "program p"}},
		{"inside a default place", []pinning.Thing{a, b}, []pinning.Override{to(b, "flow/maps/a/b")},
			pinning.ConflictError{Path: "/r/flow/maps/a", Inside: "/r/flow/maps/a/b", First: "map a", Second: "map b"}},
		{"the tree", []pinning.Thing{a}, []pinning.Override{to(a, "flow")},
			pinning.ConflictError{Path: "/r/flow", First: "map a", Second: "the directory of flow"}},
		{"a directory of the tree", []pinning.Thing{a}, []pinning.Override{to(a, "flow/links")},
			pinning.ConflictError{Path: "/r/flow/links", First: "map a", Second: "the directory of links of flow"}},
		{"a directory of the tree with pins in it", []pinning.Thing{a, b}, []pinning.Override{to(a, "flow/maps")},
			pinning.ConflictError{Path: "/r/flow/maps", First: "map a", Second: "the directory of maps of flow"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			pins, err := pinning.Plan("/r", "flow", c.things, c.overrides)
			var ce *pinning.ConflictError
			if !errors.As(err, &ce) || !errors.Is(err, pinning.ErrConflict) {
				t.Fatalf("error %v, want a ConflictError", err)
			}
			if diff := cmp.Diff(c.want, *ce); diff != "" || pins != nil {
				t.Error(diff, pins)
			}
			for _, says := range []string{ce.First, ce.Second, ce.Path, ce.Inside} {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("error %q does not say %q", err, says)
				}
			}
		})
	}
}

// Neighbours in sorted order are compared; here all pairs are, to see that this finds the same.
func TestConflictFindsWhatAllPairsShow(t *testing.T) {
	r := rand.New(rand.NewSource(7))
	names := []string{"a", "b", "a-", "a!", "flow", "maps", "a\x01"}
	for range rounds(20_000) {
		var things []pinning.Thing
		var overrides []pinning.Override
		places := map[string]bool{}
		clash := false
		for i := range 1 + r.Intn(5) {
			var place []string
			for range 1 + r.Intn(4) {
				place = append(place, names[r.Intn(len(names))])
			}
			thing, path := aMap(string(rune('p'+i))), strings.Join(place, "/")
			things, overrides = append(things, thing), append(overrides, to(thing, path))
			for other := range places {
				clash = clash || strings.HasPrefix(other, path+"/") || strings.HasPrefix(path, other+"/")
			}
			clash = clash || places[path] || path == "flow" || path == "flow/maps"
			places[path] = true
		}
		_, err := pinning.Plan("/r", "flow", things, overrides)
		if errors.Is(err, pinning.ErrConflict) != clash {
			t.Fatalf("%v: clash %t, Plan says %v", overrides, clash, err)
		}
	}
}
