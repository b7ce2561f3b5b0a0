package kernels

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/tools"
)

func TestParseMatrix(t *testing.T) {
	m, err := parseMatrix("# of kernels\n5.10 required\n6.18  wanted # and why\n\nnewest required\nsuites a b\nsuites c-security\ntools b\n")
	if err != nil {
		t.Fatal(err)
	}
	want := &matrix{lines: []line{{"5.10", true}, {"6.18", false}, {"newest", true}}, suites: []string{"a", "b", "c-security"}, tools: "b"}
	if diff := cmp.Diff(want, m, cmp.AllowUnexported(matrix{}, line{})); diff != "" {
		t.Errorf("matrix (-want +got):\n%s", diff)
	}
	for text, wrong := range map[string]string{
		"5.10 require\nsuites a\ntools a": `tools/kernels:1: "5.10 require" is none of: LINE required, LINE wanted, suites NAME…, tools NAME`,
		"suites a\n6 wanted\ntools a":     `tools/kernels:2: "6 wanted" is none of: LINE required, LINE wanted, suites NAME…, tools NAME`,
		"5.10 wanted\nsuites a\ntools b":  `tools/kernels: it has 1 lines and 1 suites, and tools come from suite "b": want some of each, and tools from one of the suites`,
		"suites a\ntools a":               `tools/kernels: it has 0 lines and 1 suites, and tools come from suite "a": want some of each, and tools from one of the suites`,
	} {
		if _, err := parseMatrix(text); err == nil || err.Error() != wrong {
			t.Errorf("parseMatrix(%q): error %v, want %s", text, err, wrong)
		}
	}
}

func TestChoose(t *testing.T) {
	m, err := parseMatrix(tools.Kernels)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		names []string
		want  []line
	}{
		{nil, m.lines},
		{[]string{"all"}, m.lines},
		{[]string{"6.1", "all"}, m.lines},
		{[]string{"newest", "6.18", "4.19", "newest"}, []line{{"newest", true}, {"6.18", true}, {"4.19", true}}},
	} {
		got, err := m.choose(c.names)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(line{})); diff != "" {
			t.Errorf("choose(%q) (-want +got):\n%s", c.names, diff)
		}
	}
	if _, err := m.choose([]string{"6.12", "linux"}); err == nil || err.Error() != `"linux" is no line of kernels: want one as 6.12, newest or all` {
		t.Errorf("choose(linux): %v", err)
	}
}
