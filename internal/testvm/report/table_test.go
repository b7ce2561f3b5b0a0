package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const mixed = `5.10 a TestA pass
5.10 a TestOld skip links need Linux 6.6
5.10 a TestHost skip only on the host: needs go
5.10 b TestB pass
5.10 b TestB/sub fail have a|b
7.0* a TestA pass
7.0* a TestOld pass
7.0* a TestHost skip only on the host: needs go
7.0* b TestB fail was cut off
7.0* b - panic sysrq triggered crash`

func written(t *testing.T, write func(*bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTable(t *testing.T) {
	m := matrix(t, mixed)
	m.Packages = append(m.Packages, "c")
	got := written(t, func(b *bytes.Buffer) error { return m.WriteTable(b, false) })
	want := `package, test  5.10            7.0
a              1 pass, 2 skip  2 pass, 1 skip
  TestHost     skip [1]        skip [1]
  TestOld      skip [2]        pass
b              1 pass          PANIC, 1 FAIL
  TestB        pass            FAIL [3]
  TestB/sub    FAIL [4]        -
c              NOT RUN         NOT RUN
[1] only on the host: needs go
[2] links need Linux 6.6
[3] was cut off
[4] have a|b
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	if all := written(t, func(b *bytes.Buffer) error { return m.WriteTable(b, true) }); !strings.Contains(all, "\n  TestA ") {
		t.Errorf("the whole table has no TestA:\n%s", all)
	}
}

func TestLogs(t *testing.T) {
	m := matrix(t, mixed)
	passed, failed := &m.Columns[0].Results[1].Tests[0], &m.Columns[0].Results[1].Tests[1]
	passed.Output, failed.Output = "    b_test.go:1: told\n", "    b_test.go:2: have a|b\n"
	got := written(t, func(b *bytes.Buffer) error { return m.WriteLogs(b) })
	if diff := cmp.Diff("--- 5.10 b TestB\n    b_test.go:1: told\n", got); diff != "" {
		t.Errorf("logs (-want +got):\n%s", diff)
	}
}

func TestDetails(t *testing.T) {
	m := matrix(t, mixed)
	m.Columns[0].Results[1].Tests[1].Output = "    b_test.go:1: have a|b\n"
	got := written(t, func(b *bytes.Buffer) error { return m.WriteDetails(b) })
	want := `--- 5.10 b TestB/sub: have a|b
        b_test.go:1: have a|b
--- 7.0 b: panic: sysrq triggered crash
    last words
--- 7.0 b TestB: was cut off
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
}

func TestMarkdown(t *testing.T) {
	m := matrix(t, mixed)
	got := written(t, func(b *bytes.Buffer) error { return m.WriteMarkdown(b, []error{errors.New("a_b <c>\nd")}) })
	want := `| package, test | 5.10 | 7.0 |
|---|---|---|
| **a** | 1 pass, 2 skip | 2 pass, 1 skip |
| &nbsp;&nbsp;TestHost | skip \[1] | skip \[1] |
| &nbsp;&nbsp;TestOld | skip \[2] | pass |
| **b** | 1 pass | PANIC, 1 FAIL |
| &nbsp;&nbsp;TestB | pass | FAIL \[3] |
| &nbsp;&nbsp;TestB/sub | FAIL \[4] | - |

\[1] only on the host: needs go
<br>\[2] links need Linux 6.6
<br>\[3] was cut off
<br>\[4] have a\|b

**1 failures**

- a\_b &lt;c> d

**Left to the host**

- a TestHost: only on the host: needs go
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Markdown (-want +got):\n%s", diff)
	}
}

func TestJUnit(t *testing.T) {
	m := matrix(t, mixed+"\n7.0* b TestNever skip\n")
	m.Packages = append(m.Packages, "c")
	m.Columns[0].Problems = []Problem{{Kind: Console, Text: "BUG: \x00", Words: "<words>"}}
	text := written(t, func(b *bytes.Buffer) error { return m.WriteJUnit(b) })
	var got junitSuites
	if err := xml.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	lines := []string{}
	for _, s := range got.Suites {
		for _, c := range s.Cases {
			line := s.Name + " | " + c.Class + " | " + c.Name
			for word, m := range map[string]*junitMessage{"failure": c.Failure, "error": c.Error, "skipped": c.Skipped} {
				if m != nil {
					line += " | " + word + " " + m.Type + " " + m.Message + " " + m.Text
				}
			}
			lines = append(lines, line)
		}
	}
	want := []string{
		"5.10 | 5.10 | (machine) | error console BUG: \uFFFD <words>",
		"5.10 a | 5.10.a | TestA",
		"5.10 a | 5.10.a | TestOld | skipped  links need Linux 6.6 ",
		"5.10 a | 5.10.a | TestHost | skipped  only on the host: needs go ",
		"5.10 b | 5.10.b | TestB",
		"5.10 b | 5.10.b | TestB/sub | failure  have a|b ",
		"7.0 a | 7.0.a | TestA",
		"7.0 a | 7.0.a | TestOld",
		"7.0 a | 7.0.a | TestHost | skipped  only on the host: needs go ",
		"7.0 b | 7.0.b | (package) | error panic sysrq triggered crash last words",
		"7.0 b | 7.0.b | TestB | failure  was cut off ",
		"7.0 b | 7.0.b | TestNever | skipped   ",
		"accounting | accounting | (not run) | error no start 5.10 c: was not run ",
		"accounting | accounting | (not run) | error no start 7.0 c: was not run ",
		"accounting | accounting | b TestNever | failure  no kernel ran it: 7.0:  ",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("cases (-want +got):\n%s", diff)
	}
	if got.Tests != 15 || got.Failures != 3 || got.Errors != 4 || got.Skipped != 4 {
		t.Errorf("counts %d, %d, %d, %d", got.Tests, got.Failures, got.Errors, got.Skipped)
	}
}
