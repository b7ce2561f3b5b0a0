package testenv

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestAtLeast(t *testing.T) {
	for _, c := range []struct {
		release, version string
		want             bool
	}{
		{"5.10.0-38-amd64", "5.10", true},
		{"5.10.0-38-amd64", "5.9", true},
		{"5.10.0-38-amd64", "5.11", false},
		{"6.1", "5.15", true},
		{"6.18+deb14-cloud-amd64", "6.18", true},
		{"7.0-rc3", "6.18", true},
	} {
		got, err := atLeast(c.release, c.version)
		if err != nil || got != c.want {
			t.Errorf("atLeast(%q, %q) = %v, %v, want %v", c.release, c.version, got, err, c.want)
		}
	}
	if _, err := atLeast("linux", "5.10"); err == nil {
		t.Error(`atLeast("linux", "5.10") has no error`)
	}
}

func TestObjectKernel(t *testing.T) {
	for name, want := range map[string]string{
		"counter": "5.10", "events_b": "5.10", "maps_5_16": "5.16", "tcx": "6.6", "rejected": "", "counter-be": "", "no_such": "",
	} {
		if got, err := objectKernel("../../testdata/bpf", name); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
}
