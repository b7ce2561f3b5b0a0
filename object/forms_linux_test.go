package object_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// TestUnknownSections loads an object with programs of which nobody knows the type: they stay out until they have one, and are listed until then.
func TestUnknownSections(t *testing.T) {
	s := open(t, "sections")
	unknown := func(name, section string) object.Feature {
		return object.Feature{Kind: object.FeatureSection, Where: `function "` + name + `" in section "` + section + `"`}
	}
	own, old := unknown("own_name", "packets/of_mine"), unknown("old_name", "prog")
	if diff := cmp.Diff([]object.Feature{own, old}, s.Unsupported()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	o := loadSpec(t, s, nil)
	if len(o.Programs()) != 1 {
		t.Errorf("%d programs were loaded, want 1", len(o.Programs()))
	}
	run(t, o, "known", 64)
	wantVariables(t, o, map[string]uint64{"calls": 1})

	s.Program("own_name").Autoload = true
	_, err := s.Load(nil)
	wantError(t, err, object.ErrSpec, `"own_name"`, `"packets/of_mine"`, "set the program's Type")
	s.Program("own_name").Type = sys.ProgTypeSocketFilter
	p := s.Program("old_name")
	p.Type, p.AttachType, p.Autoload = sys.ProgTypeCgroupSockAddr, sys.AttachTypeCgroupInet4Bind, true
	s.Programs[0], s.Programs[2] = s.Programs[2], s.Programs[0]
	if features := s.Unsupported(); len(features) > 0 {
		t.Errorf("with types, it still lacks %v", features)
	}
	o = loadSpec(t, s, nil)
	run(t, o, "own_name", 64)
	wantVariables(t, o, map[string]uint64{"calls": 100})
	if got := o.Program("old_name").Type(); got != sys.ProgTypeCgroupSockAddr {
		t.Errorf("old_name has type %s", got)
	}
}
