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
