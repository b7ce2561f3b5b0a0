package kernels

import "testing"

func TestLineOf(t *testing.T) {
	for release, want := range map[string]string{
		"6.12.117+deb13-cloud-amd64": "6.12",
		"6.18+deb14-amd64":           "6.18",
		"5.10.0-46-cloud-amd64":      "5.10",
		"7.3":                        "7.3",
		"7":                          "",
		"":                           "",
		"cloud-amd64":                "",
		"a.b":                        "",
		"6.x":                        "",
	} {
		if got := lineOf(release); got != want {
			t.Errorf("lineOf(%q) = %q, want %q", release, got, want)
		}
	}
}

// TestCompareVersions holds the order against what dpkg --compare-versions says of these.
func TestCompareVersions(t *testing.T) {
	for _, c := range []struct{ less, more string }{
		{"6.12.90-1~bpo12+1", "6.12.90-1"},
		{"6.12.90-1~bpo12+1", "6.12.90-2~bpo12+1"},
		{"6.12.95-1~bpo12+1", "6.12.117-1"},
		{"6.1.180-1~deb11u1", "6.1.180-1"},
		{"6.1.176-1", "6.1.192-2"},
		{"6.18.9-1~bpo13+1", "6.18.15-1~bpo13+1"},
		{"7.2.13-1", "7.3.4-1~bpo13+1"},
		{"7.3~rc4-1~exp1", "7.3-1"},
		{"5.10.0", "5.10.0-1"},
		{"5.10.257-1", "1:1.0-1"},
		{"1.0+deb12", "1.0+deb12.1"},
		{"1.0a", "1.0+"},
		{"1.0", "1.0a"},
	} {
		if compareVersions(c.less, c.more) >= 0 || compareVersions(c.more, c.less) <= 0 {
			t.Errorf("%s is not less than %s", c.less, c.more)
		}
	}
	for _, same := range [][2]string{{"1.0-1", "1.0-1"}, {"1.00-1", "1.0-1"}, {"0:1", "1"}} {
		if compareVersions(same[0], same[1]) != 0 {
			t.Errorf("%s and %s differ", same[0], same[1])
		}
	}
}
