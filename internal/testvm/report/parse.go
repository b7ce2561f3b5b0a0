package report

import (
	"bytes"
	"regexp"
	"strings"
	"time"
)

// mark is what a test binary run with -test.v=test2json puts before each line that is not its tests' own.
const mark = 0x16

// maxKept is how much output of one test, or of a package outside of tests, is kept: its end.
const maxKept = 64 << 10

// A Parser follows the output of one test binary that runs with -test.v=test2json.
type Parser struct {
	Began func(test string) // called when a test begins or goes on; may be nil

	rest    []byte // an unfinished line
	order   []string
	tests   map[string]*running
	current string // the test that writes, "" outside of tests
	outside []byte
	all     []byte
}

// running is a test as far as it has got.
type running struct {
	Test
	output []byte
	ended  bool
	began  time.Time
}

// NewParser makes a Parser.
func NewParser() *Parser { return &Parser{tests: make(map[string]*running)} }

// Write takes the next output. It never fails.
func (p *Parser) Write(data []byte) (int, error) {
	p.rest = append(p.rest, data...)
	for {
		end := bytes.IndexByte(p.rest, '\n')
		if end < 0 {
			return len(data), nil
		}
		p.line(p.rest[:end+1])
		p.rest = p.rest[end+1:]
	}
}

// Running gives the tests that have begun and not ended.
func (p *Parser) Running() (names []string) {
	for _, name := range p.order {
		if t := p.tests[name]; !t.ended {
			names = append(names, name)
		}
	}
	return names
}

// Finish gives the tests, and what was written outside of them. Tests that did not end failed, with this reason.
func (p *Parser) Finish(reason string) ([]Test, string) {
	if len(p.rest) > 0 {
		p.line(append(p.rest, '\n'))
		p.rest = nil
	}
	var tests []Test
	for _, name := range p.order {
		t := p.tests[name]
		if !t.ended {
			t.Status, t.Reason, t.Took = Fail, reason, time.Since(t.began)
		}
		t.Output = string(t.output)
		if t.Status == Fail && t.Reason == "" {
			t.Reason = PanicLine(t.Output)
		}
		tests = append(tests, t.Test)
	}
	return tests, string(p.outside)
}

// Tail gives the last lines of all that was written, this many at most.
func (p *Parser) Tail(lines int) string { return Tail(string(p.all)+string(p.rest), lines) }

// Tail gives the last lines of a text, this many at most.
func Tail(text string, lines int) string {
	all := strings.SplitAfter(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "")
}

var verdict = regexp.MustCompile(`^ *--- (PASS|FAIL|SKIP): (.+) \(([0-9.]+)s\)$`)

// line takes one line. A marked part may follow output that had no newline.
func (p *Parser) line(line []byte) {
	before, marked, ok := bytes.Cut(line, []byte{mark})
	if ok && len(before) > 0 {
		before = append(bytes.Clone(before), '\n')
	}
	p.all = append(p.all, before...)
	if !bytes.HasPrefix(marked, []byte("=== NAME")) {
		p.all = keepEnd(append(p.all, marked...))
	}
	if len(before) > 0 {
		p.keep(before)
	}
	if !ok {
		return
	}
	text := strings.TrimSuffix(string(marked), "\n")
	if m := verdict.FindStringSubmatch(text); m != nil {
		p.end(m[2], Status(strings.ToLower(m[1])), m[3])
		return
	}
	head, name, _ := strings.Cut(strings.TrimLeft(text, " "), " ")
	word, name, _ := strings.Cut(name, " ")
	name = strings.TrimSpace(name)
	if head != "===" { // PASS or FAIL: the tests are over
		p.current = ""
		p.keep(marked)
		return
	}
	switch word {
	case "RUN":
		p.begin(name)
	case "NAME", "CONT":
		p.goOn(name)
	}
}

func (p *Parser) begin(name string) {
	if p.tests[name] == nil {
		p.order = append(p.order, name)
		p.tests[name] = &running{Test: Test{Name: name}, began: time.Now()}
	}
	p.goOn(name)
}

func (p *Parser) goOn(name string) {
	if p.current = name; name != "" && p.Began != nil {
		p.Began(name)
	}
}

func (p *Parser) end(name string, status Status, seconds string) {
	if p.tests[name] == nil {
		p.begin(name)
	}
	t := p.tests[name]
	t.Status, t.ended = status, true
	if took, err := time.ParseDuration(seconds + "s"); err == nil {
		t.Took = took
	}
	// Between its verdict and the next mark, only what a test logs after it can come.
	p.current = name
	if status != Pass {
		t.Reason = reason(string(t.output))
	}
}

func (p *Parser) keep(data []byte) {
	if t := p.tests[p.current]; t != nil {
		t.output = keepEnd(append(t.output, data...))
		return
	}
	p.outside = keepEnd(append(p.outside, data...))
}

func keepEnd(data []byte) []byte {
	if len(data) > 2*maxKept {
		return bytes.Clone(data[len(data)-maxKept:])
	}
	return data
}

// logged is how testing begins what a test logs.
var logged = regexp.MustCompile(`^ *[^ :]+\.go:[0-9]+: `)

// reason gives the last message that a test logged, in one line: t.Skip and t.Fatal end a test, so it is theirs.
func reason(output string) string {
	var last []string
	for line := range strings.Lines(strings.TrimRight(output, "\n")) {
		if at := logged.FindString(line); at != "" {
			last = []string{line[len(at):]}
		} else {
			last = append(last, line)
		}
	}
	return strings.Join(strings.Fields(strings.Join(last, " ")), " ")
}

// PanicLine gives the line with which Go's runtime begins to tell why it ends a program, "" if there is none.
func PanicLine(text string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}
