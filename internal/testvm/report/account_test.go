package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// matrix makes one from lines "KERNEL PACKAGE TEST STATUS REASON", in which * after a kernel makes it the newest. A test - stands for
// a package without any, a status that is a kind for a problem.
func matrix(t *testing.T, text string) *Matrix {
	t.Helper()
	m := &Matrix{}
	for line := range strings.Lines(text) {
		f := strings.SplitN(strings.TrimSpace(line), " ", 5)
		if len(f) < 3 {
			continue
		}
		kernel := strings.TrimSuffix(f[0], "*")
		if len(m.Columns) == 0 || m.Columns[len(m.Columns)-1].Line != kernel {
			m.Columns = append(m.Columns, Column{Line: kernel, Release: kernel + ".0-test", Newest: kernel != f[0]})
		}
		c := &m.Columns[len(m.Columns)-1]
		if c.result(f[1]) == nil {
			c.Results = append(c.Results, Result{Package: f[1]})
		}
		r := c.result(f[1])
		if len(m.Columns) == 1 && len(r.Tests)+len(r.Problems) == 0 {
			m.Packages = append(m.Packages, f[1])
		}
		reason := ""
		if len(f) == 5 {
			reason = f[4]
		}
		switch {
		case f[2] == "-" && len(f) > 3:
			r.Problems = append(r.Problems, Problem{Kind: Kind(f[3]), Text: reason, Words: "last words"})
		case f[2] != "-":
			r.Tests = append(r.Tests, Test{Name: f[2], Status: Status(f[3]), Reason: reason})
		}
	}
	return m
}

func TestAccount(t *testing.T) {
	for _, c := range []struct {
		name, matrix string
		want         []string
	}{
		{"all pass", "5.10 a TestA pass\n7.0* a TestA pass", nil},
		{"skipped on an old one", "5.10 a TestA skip needs 6.6\n7.0* a TestA pass", nil},
		{"failed is run", "5.10 a TestA skip needs 6.6\n7.0* a TestA fail", nil},
		{"skipped on the newest", "5.10 a TestA pass\n5.10 a TestB pass\n7.0* a TestA skip gone\n7.0* a TestB pass",
			[]string{"a TestA: skipped on the newest kernel: 7.0: gone"}},
		{"run by none", "5.10 a TestA skip x\n5.10 a TestB pass\n7.0* a TestA skip y\n7.0* a TestB pass",
			[]string{"a TestA: no kernel ran it: 5.10: x; 7.0: y"}},
		{"subtest run by none", "7.0* a TestA pass\n7.0* a TestA/b skip y", []string{"a TestA/b: no kernel ran it: 7.0: y"}},
		{"known to an old one only", "5.10 a TestA skip x\n5.10 a TestB pass\n7.0* a TestB pass", []string{"a TestA: no kernel ran it: 5.10: x"}},
		{"without the newest", "5.10 a TestA skip x\n5.10 a TestB pass\n6.1 a TestA skip y\n6.1 a TestB pass", nil},
		{"a package that none ran", "5.10 a TestA skip x\n5.10 a TestB skip x\n5.10 b TestC pass\n7.0* a TestA skip y\n7.0* a TestB skip x\n7.0* b TestC pass",
			[]string{"a: every test was skipped on every kernel: x; y"}},
		{"a package that none ran, without the newest", "5.10 a TestA skip x\n5.10 b TestC pass", []string{"a: every test was skipped on every kernel: x"}},
		{"a package that one ran", "5.10 a TestA skip x\n7.0* a TestA pass", nil},
		{"for the host", "5.10 a TestA skip only on the host: needs go\n7.0* a TestA skip only on the host: needs go", nil},
		{"for the host, and another", "5.10 a TestA skip only on the host: x\n5.10 a TestB skip y\n7.0* a TestA skip only on the host: x\n7.0* a TestB skip y",
			[]string{"a TestB: no kernel ran it: 5.10: y; 7.0: y"}},
		{"no test at all", "5.10 a -\n7.0* a -", []string{"all packages: there is no test to run"}},
		{"no test, since it crashed", "5.10 a - crash x\n7.0* a - crash x", nil},
		{"one package without", "7.0* a -\n7.0* b TestA pass", nil},
	} {
		var got []string
		for _, f := range matrix(t, c.matrix).Account() {
			got = append(got, f.Error())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: findings (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestMissing(t *testing.T) {
	m := matrix(t, "5.10 a TestA pass\n5.10 b TestB pass\n7.0* a TestA pass")
	var got []string
	for _, err := range m.Missing() {
		got = append(got, err.Error())
	}
	if diff := cmp.Diff([]string{"7.0 b: was not run"}, got); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
}

func TestErrors(t *testing.T) {
	m := matrix(t, `5.10 a TestA fail have 1
5.10 a TestB fail
5.10 a TestB/c fail have 2
5.10 a TestD fail oh no
5.10 a TestE fail
5.10 a - panic oh no
5.10 a TestF skip x`)
	m.Columns[0].Problems = []Problem{{Kind: Hang, Text: "did not go off"}}
	var got []string
	for _, err := range m.Columns[0].Errors() {
		got = append(got, err.Error())
	}
	want := []string{"5.10: hang: did not go off", "5.10 a: panic: oh no", "5.10 a TestA: have 1", "5.10 a TestB/c: have 2", "5.10 a TestE: "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}

func TestStatus(t *testing.T) {
	for text, want := range map[string]Status{
		"7.0 a TestA pass\n7.0 a TestB skip": Pass,
		"7.0 a TestA skip\n7.0 a TestB skip": Skip,
		"7.0 a TestA pass\n7.0 a TestB fail": Fail,
		"7.0 a TestA pass\n7.0 a - exit":     Fail,
		"7.0 a -":                            Pass,
	} {
		if got := matrix(t, text).Columns[0].Results[0].Status(); got != want {
			t.Errorf("%q: status %s, want %s", text, got, want)
		}
	}
}
