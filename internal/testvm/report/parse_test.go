package report

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// marked makes of ^ what a test binary writes before its own lines.
func marked(text string) string { return strings.ReplaceAll(text, "^", "\x16") }

// said is what a test binary with tests of every kind writes, with -test.v=test2json.
const said = `^=== RUN   TestPass
    a_test.go:1: a remark
^--- PASS: TestPass (0.25s)
^=== NAME  
^=== RUN   TestSkip
    a_test.go:2: a remark
    a_test.go:3: bpf_cookie needs Linux 5.15;
        this is 5.10
^--- SKIP: TestSkip (0.00s)
^=== NAME  
^=== RUN   TestParent
^=== RUN   TestParent/a_b
written without an end^=== NAME  TestParent/a_b
    a_test.go:4: have 1, want 2
^=== NAME  TestParent
^    --- FAIL: TestParent/a_b (1.00s)
^--- FAIL: TestParent (1.50s)
^=== NAME  
^FAIL
leak check: left behind: map id 7
`

func TestParse(t *testing.T) {
	want := []Test{
		{Name: "TestPass", Status: Pass, Took: 250 * time.Millisecond, Output: "    a_test.go:1: a remark\n"},
		{Name: "TestSkip", Status: Skip, Reason: "bpf_cookie needs Linux 5.15; this is 5.10",
			Output: "    a_test.go:2: a remark\n    a_test.go:3: bpf_cookie needs Linux 5.15;\n        this is 5.10\n"},
		{Name: "TestParent", Status: Fail, Took: 1500 * time.Millisecond},
		{Name: "TestParent/a_b", Status: Fail, Reason: "have 1, want 2", Took: time.Second,
			Output: "written without an end\n    a_test.go:4: have 1, want 2\n"},
	}
	for _, piece := range []int{1, 7, 4096} {
		p := NewParser()
		var began []string
		p.Began = func(test string) { began = append(began, test) }
		for text := marked(said); text != ""; {
			n := min(piece, len(text))
			if _, err := p.Write([]byte(text[:n])); err != nil {
				t.Fatal(err)
			}
			text = text[n:]
		}
		if running := p.Running(); len(running) != 0 {
			t.Errorf("%q still run", running)
		}
		tests, outside := p.Finish("was cut off")
		if diff := cmp.Diff(want, tests); diff != "" {
			t.Errorf("in pieces of %d: tests (-want +got):\n%s", piece, diff)
		}
		if want := "FAIL\nleak check: left behind: map id 7\n"; outside != want {
			t.Errorf("outside of tests it wrote %q, want %q", outside, want)
		}
		if last := began[len(began)-1]; last != "TestParent" {
			t.Errorf("the last test that went on is %s", last)
		}
	}
}

func TestParseCutOff(t *testing.T) {
	for _, c := range []struct {
		text string
		want []Test
	}{
		{"", nil},
		{"no tests to run\n", nil},
		{"^=== RUN   TestA\nsome out", []Test{{Name: "TestA", Status: Fail, Reason: "was cut off", Output: "some out\n"}}},
		{"^=== RUN   TestA\n^=== RUN   TestA/b\n^    --- SKIP: TestA/b (0.00s)\n", []Test{
			{Name: "TestA", Status: Fail, Reason: "was cut off"}, {Name: "TestA/b", Status: Skip},
		}},
		{"^=== RUN   TestA\n^--- FAIL: TestA (0.00s)\npanic: oh [recovered]\n\ngoroutine 1\n", []Test{
			{Name: "TestA", Status: Fail, Reason: "panic: oh [recovered]", Output: "panic: oh [recovered]\n\ngoroutine 1\n"},
		}},
	} {
		p := NewParser()
		if _, err := p.Write([]byte(marked(c.text))); err != nil {
			t.Fatal(err)
		}
		got, _ := p.Finish("was cut off")
		if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(Test{}, "Took")); diff != "" {
			t.Errorf("%q: tests (-want +got):\n%s", c.text, diff)
		}
	}
}

func TestParseKeepsTheEnd(t *testing.T) {
	p := NewParser()
	if _, err := p.Write([]byte(marked("^=== RUN   TestA\n") + strings.Repeat("0123456789abcde\n", 1<<16) + "the end\n")); err != nil {
		t.Fatal(err)
	}
	if tail := p.Tail(2); tail != "0123456789abcde\nthe end" {
		t.Errorf("Tail gives %q", tail)
	}
	tests, _ := p.Finish("")
	if n := len(tests[0].Output); n > 2*maxKept || !strings.HasSuffix(tests[0].Output, "the end\n") {
		t.Errorf("of 1 MiB, %d bytes were kept", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(marked(said))
	f.Fuzz(func(t *testing.T, text string) {
		p := NewParser()
		if _, err := p.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		tests, _ := p.Finish("was cut off")
		for _, test := range tests {
			if test.Status == "" {
				t.Errorf("%q has no status", test.Name)
			}
		}
	})
}
