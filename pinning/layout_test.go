package pinning_test

import (
	"testing"

	"github.com/pinion-bpf/pinion/pinning"
)

func TestKind(t *testing.T) {
	for kind, want := range map[pinning.Kind][2]string{
		0:                   {"kind(0)", ""},
		pinning.KindMap:     {"map", "maps"},
		pinning.KindProgram: {"program", "programs"},
		pinning.KindLink:    {"link", "links"},
		4:                   {"kind(4)", ""},
	} {
		if got := [2]string{kind.String(), kind.Dir()}; got != want {
			t.Errorf("kind %d: %q, want %q", kind, got, want)
		}
	}
}

func TestThingString(t *testing.T) {
	for _, c := range []struct {
		thing pinning.Thing
		want  string
	}{
		{pinning.Thing{Kind: pinning.KindMap, Name: ".rodata.cfg"}, "map .rodata.cfg"},
		{pinning.Thing{Kind: pinning.KindProgram, Name: "ingress"}, "program ingress"},
		{pinning.Thing{Kind: pinning.KindLink, Name: "ingress", Target: "eth0"}, "link ingress@eth0"},
		{pinning.Thing{Kind: pinning.KindMap, Name: "two words\n"}, `map "two words\n"`},
		{pinning.Thing{Kind: pinning.KindLink, Name: "größe", Target: "a\x00"}, `link "gr\xc3\xb6\xc3\x9fe"@"a\x00"`},
		{pinning.Thing{Kind: pinning.KindMap}, `map ""`},
	} {
		if got := c.thing.String(); got != c.want {
			t.Errorf("%#v is called %s, want %s", c.thing, got, c.want)
		}
		pin := pinning.Pin{Kind: c.thing.Kind, Name: c.thing.Name, Target: c.thing.Target}
		if got := pin.String(); got != c.want {
			t.Errorf("%#v is called %s, want %s", pin, got, c.want)
		}
		recorded := pinning.RecordedPin{Kind: c.thing.Kind, Name: c.thing.Name, Target: c.thing.Target}
		if got := recorded.String(); got != c.want {
			t.Errorf("%#v is called %s, want %s", recorded, got, c.want)
		}
	}
}
