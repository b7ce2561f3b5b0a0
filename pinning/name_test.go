package pinning_test

import (
	"errors"
	"math/rand"
	"strings"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/pinning"
)

func TestEscape(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"", ""},
		{"flows", "flows"},
		{"_Flow_9", "_Flow_9"},
		{".rodata.cfg", "%2Erodata%2Ecfg"},
		{"%2E", "%252E"},
		{"a/b@c", "a%2Fb%40c"},
		{"a-b:c*~!", "a-b:c*~!"},
		{"\x00 \n\x20\x21", "%00%20%0A%20!"},
		{"\x7e\x7f\x80\xff", "~%7F%80%FF"},
		{"größe", "gr%C3%B6%C3%9Fe"},
		{"%record", "%25record"},
	} {
		if got := pinning.Escape(c.name); got != c.want {
			t.Errorf("Escape(%q) = %q, want %q", c.name, got, c.want)
		}
		if got, err := pinning.Unescape(c.want); err != nil || got != c.name {
			t.Errorf("Unescape(%q) = %q, %v, want %q", c.want, got, err, c.name)
		}
	}
}

func TestUnescapeRefusesWhatEscapeNeverGives(t *testing.T) {
	for _, c := range []struct{ escaped, says string }{
		{"a.b", "0x2e at byte 1"},
		{"a/b", "0x2f"},
		{"a@b", "0x40"},
		{"a b", "0x20"},
		{"a\x00", "0x0"},
		{"\xff", "0xff"},
		{"%2e", "'%' at byte 0"},
		{"x%41", "'%' at byte 1"}, // A needs no escape
		{"%7E", "'%' at byte 0"},
		{"%C3%B", "'%' at byte 3"},
		{"%", "'%' at byte 0"},
		{"%%2E", "'%' at byte 0"},
		{"%2", "'%' at byte 0"},
		{"%0G", "'%' at byte 0"},
		{"%record", "reserves"},
		{"%stage-flow", "reserves"},
		{"%G0", "reserves"},
	} {
		got, err := pinning.Unescape(c.escaped)
		wantNameError(t, err, c.says)
		if got != "" {
			t.Errorf("Unescape(%q) = %q with an error", c.escaped, got)
		}
	}
}

// wantNameError fails unless err is a *NameError about a name that says so.
func wantNameError(t *testing.T, err error, says string) {
	t.Helper()
	var ne *pinning.NameError
	if !errors.As(err, &ne) || !errors.Is(err, pinning.ErrName) {
		t.Fatalf("error %v, want a NameError with ErrName that says %q", err, says)
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("error %q does not say %q", err, says)
	}
	if strings.ContainsAny(err.Error(), "\n\x00") {
		t.Errorf("error %q is not one line", err)
	}
}

// awkward returns a short name made mostly of the bytes that matter.
func awkward(r *rand.Rand) string {
	const alphabet = "ab.%/@-_2E \n\x00\x7f\xffcF%r"
	b := make([]byte, r.Intn(7))
	for i := range b {
		if b[i] = alphabet[r.Intn(len(alphabet))]; r.Intn(20) == 0 {
			b[i] = byte(r.Intn(256))
		}
	}
	return string(b)
}

func TestEscapeIsInjective(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	from := map[string]string{}
	for range rounds(200_000) {
		name := awkward(r)
		escaped := pinning.Escape(name)
		if other, seen := from[escaped]; seen && other != name {
			t.Fatalf("%q and %q both escape to %q", name, other, escaped)
		}
		from[escaped] = name
		if strings.ContainsAny(escaped, "./@ \n\x00") || pinning.IsReserved(escaped) {
			t.Fatalf("Escape(%q) = %q is no name to use", name, escaped)
		}
	}
}

func TestEscapeRoundTrip(t *testing.T) {
	roundTrip := func(b []byte) bool {
		got, err := pinning.Unescape(pinning.Escape(string(b)))
		return err == nil && got == string(b)
	}
	if err := quick.Check(roundTrip, &quick.Config{MaxCount: 5000, Rand: rand.New(rand.NewSource(2))}); err != nil {
		t.Error(err)
	}
}

func TestIsReserved(t *testing.T) {
	for name, want := range map[string]bool{
		"%record": true, "%stage-flow": true, "%g": true, "%G": true, "%z": true, "%Z": true,
		"": false, "%": false, "record": false, "%2E": false, "%a": false, "%F": false, "%f0": false, "%@": false, "%[": false, "%`": false,
		"%{": false, "%\xe9": false, "%-": false, "a%record": false,
	} {
		if got := pinning.IsReserved(name); got != want {
			t.Errorf("IsReserved(%q) = %t, want %t", name, got, want)
		}
	}
	for i := range 1100 {
		if name := pinning.RecordName(i); !pinning.IsReserved(name) {
			t.Errorf("RecordName(%d) = %q is not reserved", i, name)
		}
	}
}

func TestTreeName(t *testing.T) {
	for _, c := range []struct{ object, instance, want string }{
		{"flow", "", "flow"},
		{"flow", "eth0", "flow@eth0"},
		{"my.obj", "eth0.100", "my%2Eobj@eth0%2E100"},
		{"a@b", "", "a%40b"},
		{"a", "b@c", "a@b%40c"},
		{"a@b", "c", "a%40b@c"},
		{"%record", "", "%25record"},
		{strings.Repeat("x", 248), "", strings.Repeat("x", 248)},
		{strings.Repeat(".", 41), strings.Repeat(".", 41) + "x", strings.Repeat("%2E", 41) + "@" + strings.Repeat("%2E", 41) + "x"},
	} {
		got, err := pinning.TreeName(c.object, c.instance)
		if err != nil || got != c.want {
			t.Errorf("TreeName(%q, %q) = %q, %v, want %q", c.object, c.instance, got, err, c.want)
		}
		object, instance, err := pinning.ParseTreeName(got)
		if err != nil || object != c.object || instance != c.instance {
			t.Errorf("ParseTreeName(%q) = %q, %q, %v, want %q, %q", got, object, instance, err, c.object, c.instance)
		}
		if staging := "%stage-" + got; len(staging) > 255 {
			t.Errorf("staging directory %q has %d bytes", staging, len(staging))
		}
	}
	for _, c := range []struct{ object, instance, says string }{
		{"", "", "empty"},
		{"", "eth0", "empty"},
		{strings.Repeat("x", 249), "", "249 bytes long, over the limit of 248: %stage- is put before it"},
		{strings.Repeat(".", 83), "", "249 bytes"},
		{strings.Repeat("x", 124), strings.Repeat("y", 124), "249 bytes"},
	} {
		_, err := pinning.TreeName(c.object, c.instance)
		wantNameError(t, err, c.says)
	}
}

func TestParseTreeNameRefuses(t *testing.T) {
	for dir, says := range map[string]string{
		"": "lacks a name", "@": "lacks a name", "flow@": "lacks a name", "@eth0": "lacks a name",
		"a@b@c": "0x40", "my.obj": "0x2e", "a@b.c": "0x2e", "%record": "reserves", "%stage-flow": "reserves", "%stage-flow@eth0": "reserves",
		"a@%record": "reserves", "my%2eobj": "'%'", strings.Repeat("x", 249): "249 bytes",
	} {
		_, _, err := pinning.ParseTreeName(dir)
		wantNameError(t, err, says)
	}
}

func TestResolveName(t *testing.T) {
	for user, want := range map[string]string{
		"flow":          "flow",
		"flow@eth0":     "flow@eth0",
		"my.obj":        "my%2Eobj",
		"my%2Eobj":      "my%2Eobj",
		"my%2eobj":      "my%252eobj", // not what Escape writes, so taken as it is
		"my%252Eobj":    "my%252Eobj",
		"a%40b@c":       "a%40b@c",
		"100%":          "100%25",
		"%41":           "%2541",
		"%record":       "%25record",
		"a/b":           "a%2Fb",
		"../x":          "%2E%2E%2Fx",
		"flow@eth0.100": "flow@eth0%2E100",
		"flow@100%":     "flow@100%25",
	} {
		got, err := pinning.ResolveName(user)
		if err != nil || got != want {
			t.Errorf("ResolveName(%q) = %q, %v, want %q", user, got, err, want)
		}
	}
	for user, says := range map[string]string{
		"": "empty", "@": "ends in '@'", "@eth0": "empty", "flow@": "ends in '@'", "a@b@c": "write %40",
		strings.Repeat(".", 100): "300 bytes",
	} {
		_, err := pinning.ResolveName(user)
		wantNameError(t, err, says)
	}
}

func TestResolveNameKeepsTreeNames(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	for range rounds(20_000) {
		object, instance := awkward(r), awkward(r)
		tree, err := pinning.TreeName(object, instance)
		if (err != nil) != (object == "") {
			t.Fatalf("TreeName(%q, %q): %v", object, instance, err)
		}
		if err != nil {
			continue
		}
		if got, err := pinning.ResolveName(tree); err != nil || got != tree {
			t.Fatalf("ResolveName(%q) = %q, %v, want the same", tree, got, err)
		}
		o, i, err := pinning.ParseTreeName(tree)
		if err != nil || o != object || i != instance {
			t.Fatalf("ParseTreeName(%q) = %q, %q, %v, want %q, %q", tree, o, i, err, object, instance)
		}
	}
}

func TestLinkName(t *testing.T) {
	for _, c := range []struct{ program, target, want string }{
		{"ingress", "", "ingress"},
		{"ingress", "eth0", "ingress@eth0"},
		{"ingress", "eth0.100", "ingress@eth0%2E100"},
		{"a@b", "", "a%40b"},
		{strings.Repeat("x", 127), strings.Repeat("y", 127), strings.Repeat("x", 127) + "@" + strings.Repeat("y", 127)},
	} {
		got, err := pinning.LinkName(c.program, c.target)
		if err != nil || got != c.want {
			t.Errorf("LinkName(%q, %q) = %q, %v, want %q", c.program, c.target, got, err, c.want)
		}
		program, target, err := pinning.ParseLinkName(got)
		if err != nil || program != c.program || target != c.target {
			t.Errorf("ParseLinkName(%q) = %q, %q, %v, want %q, %q", got, program, target, err, c.program, c.target)
		}
	}
	for _, c := range []struct{ program, target, says string }{
		{"", "eth0", "empty"},
		{strings.Repeat("x", 256), "", "256 bytes long, over the limit of 255"},
		{strings.Repeat("x", 127), strings.Repeat("y", 128), "256 bytes"},
	} {
		_, err := pinning.LinkName(c.program, c.target)
		wantNameError(t, err, c.says)
	}
	for name, says := range map[string]string{
		"": "lacks", "@x": "lacks", "x@": "lacks", "a@b@c": "0x40", "a.b": "0x2e", "a@%0a": "'%'", strings.Repeat("x", 256): "256 bytes",
	} {
		_, _, err := pinning.ParseLinkName(name)
		wantNameError(t, err, says)
	}
}

// FuzzUnescape wants that whatever is accepted is what Escape gives, and that nothing Escape gives is refused.
func FuzzUnescape(f *testing.F) {
	for _, s := range []string{"", "a", "%2Erodata", ".rodata", "%", "%2", "%2e", "%41", "%record", "a@b", "\xff%FF"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if name, err := pinning.Unescape(s); err == nil && pinning.Escape(name) != s {
			t.Errorf("Unescape(%q) = %q, which escapes to %q", s, name, pinning.Escape(name))
		}
		if name, err := pinning.Unescape(pinning.Escape(s)); err != nil || name != s {
			t.Errorf("Unescape(Escape(%q)) = %q, %v", s, name, err)
		}
	})
}

// FuzzResolveName wants a tree name that stays the same, or an error.
func FuzzResolveName(f *testing.F) {
	for _, s := range []string{"", "flow", "flow@eth0", "my.obj", "my%2Eobj", "a@b@c", "%40@%", "@"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, user string) {
		tree, err := pinning.ResolveName(user)
		if err != nil {
			wantNameError(t, err, "object")
			return
		}
		if again, err := pinning.ResolveName(tree); err != nil || again != tree {
			t.Errorf("%q gives %q, and that gives %q, %v", user, tree, again, err)
		}
		object, instance, err := pinning.ParseTreeName(tree)
		if err != nil {
			t.Fatalf("%q gives %q: %v", user, tree, err)
		}
		if back, err := pinning.TreeName(object, instance); err != nil || back != tree {
			t.Error(cmp.Diff(tree, back), err)
		}
	})
}
