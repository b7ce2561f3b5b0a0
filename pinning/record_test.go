package pinning_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pinion-bpf/pinion/pinning"
)

// flowRecord returns a record with everything in it that a record can have.
func flowRecord() pinning.Record {
	r := pinning.Record{
		Version: pinning.RecordVersion, Object: "my.flow", Instance: "eth0", Generation: 3, Complete: true,
		Pins: []pinning.RecordedPin{
			{Kind: pinning.KindMap, Name: ".rodata.cfg", ID: 17},
			{Kind: pinning.KindMap, Name: "events", ID: 18, Path: "common/two words%2E", Shared: true},
			{Kind: pinning.KindMap, Name: "flows", ID: 19, Shared: true},
			{Kind: pinning.KindProgram, Name: "ingress", ID: 1},
			{Kind: pinning.KindLink, Name: "ingress", ID: 4294967295},
			{Kind: pinning.KindLink, Name: "ingress", Target: "eth0\n", ID: 5, Path: "my%2Eflow@eth0/extra/x"},
		},
	}
	for i := range 32 {
		r.ELF[i], r.Spec[i] = byte(i), byte(255-i)
	}
	return r
}

func TestRecordName(t *testing.T) {
	for i, want := range map[int]string{0: "%record", 1: "%record1", 12: "%record12"} {
		if got := pinning.RecordName(i); got != want {
			t.Errorf("RecordName(%d) = %q, want %q", i, got, want)
		}
	}
}

func TestRecordedPinPlace(t *testing.T) {
	r := flowRecord()
	for i, want := range []string{
		"my%2Eflow@eth0/maps/%2Erodata%2Ecfg", "common/two words%2E", "my%2Eflow@eth0/maps/flows",
		"my%2Eflow@eth0/programs/ingress", "my%2Eflow@eth0/links/ingress", "my%2Eflow@eth0/extra/x",
	} {
		if got := r.Pins[i].Place("my%2Eflow@eth0"); got != want {
			t.Errorf("%v has the place %q, want %q", r.Pins[i], got, want)
		}
	}
}

// What a record cannot say, it must neither be written with nor, by a hand that knows the sum, be read with.
func TestRecordRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*pinning.Record)
		says   string
	}{
		{"no object", func(r *pinning.Record) { r.Object = "" }, "is empty"},
		{"long object", func(r *pinning.Record) { r.Object = strings.Repeat(".", 90) }, "limit of 248"},
		{"no kind", func(r *pinning.Record) { r.Pins[0].Kind = 0 }, "set its Kind"},
		{"no name", func(r *pinning.Record) { r.Pins[0].Name = "" }, "is empty"},
		{"long name", func(r *pinning.Record) { r.Pins[0].Name = strings.Repeat(".", 86) }, "limit of 255"},
		{"target of a map", func(r *pinning.Record) { r.Pins[0].Target = "eth0" }, "target"},
		{"no id", func(r *pinning.Record) { r.Pins[3].ID = 0 }, "program ingress: has the id 0"},
		{"twice", func(r *pinning.Record) { r.Pins[2].Name, r.Pins[2].Path = "events", "x" }, "map events: is there twice"},
		{"default place as override", func(r *pinning.Record) { r.Pins[2].Path = "my%2Eflow@eth0/maps/flows" }, "default place"},
		{"out of the root", func(r *pinning.Record) { r.Pins[2].Path = "../etc" }, `".."`},
		{"absolute", func(r *pinning.Record) { r.Pins[2].Path = "/etc" }, "empty component"},
		{"dots", func(r *pinning.Record) { r.Pins[2].Path = "a.b" }, "a%2Eb"},
		{"reserved", func(r *pinning.Record) { r.Pins[2].Path = "x/%record" }, "reserves"},
		{"long path", func(r *pinning.Record) { r.Pins[2].Path = strings.Repeat("x/", 2000) + "x" }, "limit of 3072"},
		{"one place twice", func(r *pinning.Record) { r.Pins[2].Path = "my%2Eflow@eth0/programs/ingress" }, "map flows and program ingress both claim"},
		{"a place in another", func(r *pinning.Record) { r.Pins[2].Path = "common" }, "map events claims"},
		{"the tree", func(r *pinning.Record) { r.Pins[2].Path = "my%2Eflow@eth0" }, "the directory of my%2Eflow@eth0"},
		{"incomplete with programs", func(r *pinning.Record) { r.Complete = false }, "program ingress: cannot be in an incomplete record"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := flowRecord()
			c.change(&r)
			parts, err := pinning.EncodeRecord(r)
			wantRecordError(t, err, c.says)
			if parts != nil {
				t.Errorf("text %q with an error", parts)
			}
		})
	}
	for _, version := range []int{-1, 0, 2} {
		r := flowRecord()
		r.Version = version
		if _, err := pinning.EncodeRecord(r); !errors.Is(err, pinning.ErrRecordVersion) {
			t.Errorf("version %d: error %v, want ErrRecordVersion", version, err)
		}
	}
}

// wantRecordError fails unless err is a *RecordError with ErrRecord that says so.
func wantRecordError(t *testing.T, err error, says string) {
	t.Helper()
	var re *pinning.RecordError
	if !errors.As(err, &re) || !errors.Is(err, pinning.ErrRecord) || errors.Is(err, pinning.ErrRecordVersion) {
		t.Fatalf("error %v, want a RecordError with ErrRecord that says %q", err, says)
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("error %q does not say %q", err, says)
	}
	if strings.ContainsAny(err.Error(), "\n\x00") || len(err.Error()) > 1000 {
		t.Errorf("error %q is not one short line", err)
	}
}
