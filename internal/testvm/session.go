package testvm

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pinion-bpf/pinion/internal/testvm/report"
	"github.com/pinion-bpf/pinion/internal/testvm/wire"
)

// A session is one boot of a machine as the host sees it.
type session struct {
	config  *Config
	column  *report.Column
	console *console
	report  func(Event)
	expire  func(after time.Duration) // sets the time by when the next sign of progress must come
	cover   string                    // directory for coverage data, "" if there is none

	greeted bool
	done    bool
	lost    error // of the line
	junk    []byte
	index   int // of the package that runs or ran last, -1 before the first
	within  bool
	result  report.Result
	parser  *report.Parser
	files   map[string][]byte // coverage data of the package, compressed
	begun   time.Time
	first   time.Time // when the first test said something
}

// follow reads frames until the line ends.
func (s *session) follow(from io.Reader) {
	reader := wire.NewReader(from, s.takeJunk)
	for {
		frame, err := reader.Read()
		lost, isLost := errors.AsType[*wire.LostError](err)
		switch {
		case err == io.EOF:
			return
		case isLost:
			s.problem(report.Problem{Kind: report.Line, Text: lost.Error(), Words: s.takenJunk()})
		case err != nil:
			s.lost = err
			return
		}
		if err := s.take(frame); err != nil {
			s.problem(report.Problem{Kind: report.Line, Text: err.Error()})
		}
	}
}

// takeJunk keeps the beginning of what is no frame. What comes before the guest does is from the firmware, or a shell that starts it.
func (s *session) takeJunk(data []byte) {
	if s.greeted && !s.done {
		s.junk = append(s.junk, data[:min(len(data), max(0, 4096-len(s.junk)))]...)
	}
}

func (s *session) takenJunk() string {
	junk := s.junk
	s.junk = nil
	if len(junk) == 0 {
		return ""
	}
	return fmt.Sprintf("what is no frame begins with %q", junk[:min(len(junk), 200)])
}

// problem adds a problem to the package that runs, or to the machine if none does.
func (s *session) problem(p report.Problem) {
	if s.within {
		s.result.Problems = append(s.result.Problems, p)
		return
	}
	s.column.Problems = append(s.column.Problems, p)
}

func (s *session) take(f wire.Frame) error {
	switch f.Kind {
	case wire.Hello:
		var greeting wire.Greeting
		if err := json.Unmarshal(f.Data, &greeting); err != nil {
			return err
		}
		s.greeted, s.column.Release = true, greeting.Release
		s.phase("boot", time.Since(s.begun))
		s.expire(s.config.between)
	case wire.Say:
		s.column.Notes = append(s.column.Notes, string(f.Data))
	case wire.Begin:
		return s.begin(f.Name)
	case wire.Out:
		if s.first.IsZero() {
			s.first = time.Now()
		}
		if s.within {
			_, err := s.parser.Write(f.Data)
			return err
		}
	case wire.Cover:
		s.files[f.Name] = append(s.files[f.Name], f.Data...)
	case wire.End:
		return s.end(f)
	case wire.Done:
		s.done = true
	}
	return nil
}

func (s *session) phase(name string, took time.Duration) {
	s.column.Phases = append(s.column.Phases, report.Phase{Name: name, Took: took})
}

func (s *session) begin(name string) error {
	if s.within { // its end was lost
		s.finish(wire.Ending{}, "its end was lost")
	}
	index := s.config.index(name)
	if index < 0 {
		return fmt.Errorf("the guest runs %q, which it was not told to", name)
	}
	s.index, s.within, s.begun = index, true, time.Now()
	s.result = report.Result{Package: name}
	s.files = make(map[string][]byte)
	s.parser = report.NewParser()
	s.parser.Began = func(test string) {
		s.report(Event{Kernel: s.column.Line, Package: name, Test: test, Doing: "runs"})
	}
	s.report(Event{Kernel: s.column.Line, Package: name, Doing: "runs"})
	s.expire(s.config.Timeout + grace + s.config.between)
	return nil
}

func (s *session) end(f wire.Frame) error {
	var ending wire.Ending
	if err := json.Unmarshal(f.Data, &ending); err != nil {
		return err
	}
	if !s.within || f.Name != s.result.Package {
		return fmt.Errorf("the end of %s came, which had not begun", f.Name)
	}
	s.result.Took = ending.Took
	problem := s.judge(ending)
	if problem != nil {
		s.problem(*problem)
	}
	if err := s.keepCover(); err != nil {
		s.problem(report.Problem{Kind: report.Line, Text: "coverage data: " + err.Error()})
	}
	reason := "the tests ended before it did"
	if problem != nil {
		reason = problem.Text
	}
	s.finish(ending, reason)
	s.expire(s.config.between)
	return nil
}

// finish closes the package that runs. Tests of it that did not end get the reason.
func (s *session) finish(ending wire.Ending, reason string) {
	s.result.Tests, s.result.Output = s.parser.Finish(reason)
	if ending.Took == 0 {
		s.result.Took = time.Since(s.begun)
	}
	for _, line := range s.console.takeTrouble() {
		s.problem(report.Problem{Kind: report.Console, Text: line, Words: s.console.words()})
	}
	// Of a frame that was cut off, the reader gives the beginning as junk.
	if junk := s.takenJunk(); junk != "" && s.lost == nil {
		s.problem(report.Problem{Kind: report.Line, Text: "the line of results carried what is none", Words: junk})
	}
	s.within = false
	s.column.Results = append(s.column.Results, s.result)
	s.report(Event{Kernel: s.column.Line, Package: s.result.Package, Result: &s.column.Results[len(s.column.Results)-1]})
}

// judge says what was wrong with the way in which a test binary ended, nil if nothing was but tests that failed.
func (s *session) judge(e wire.Ending) *report.Problem {
	tail := s.parser.Tail(40)
	goPanic := report.PanicLine(tail)
	failed := strings.Contains(tail, "--- FAIL") || strings.HasSuffix(strings.TrimSpace(tail), "FAIL")
	problem := &report.Problem{Words: tail}
	switch {
	case e.Error != "":
		problem.Kind, problem.Text = report.Start, e.Error
	case e.OOM > 0:
		problem.Kind, problem.Text = report.Memory, fmt.Sprintf("the kernel killed %d of its processes because memory was short: the machine has %d MiB (-mem)",
			e.OOM, s.config.MemMiB)
	case e.Killed:
		problem.Kind, problem.Text = report.Hang, fmt.Sprintf("it was killed after %v, since it did not even end by its timeout of %v", e.Took, s.config.Timeout)
	case e.Signal != "":
		problem.Kind, problem.Text = report.Crash, "the test binary was ended by a signal: "+e.Signal
	case strings.HasPrefix(goPanic, "panic: test timed out"):
		problem.Kind, problem.Text = report.Hang, strings.TrimPrefix(goPanic, "panic: ")+still(s.parser.Running())
	case goPanic != "" && e.Exit == 2:
		problem.Kind, problem.Text = report.Crash, goPanic
	case e.Exit > 1 || e.Exit == 1 && !failed || e.Exit == 0 && len(s.parser.Running()) > 0:
		problem.Kind, problem.Text = report.Exit, fmt.Sprintf("exit status %d%s", e.Exit, still(s.parser.Running()))
	case e.Missing > 0:
		problem.Kind, problem.Text = report.Line, fmt.Sprintf("it wrote too much: the last %d bytes are missing", e.Missing)
	default:
		return nil
	}
	return problem
}

func still(running []string) string {
	if len(running) == 0 {
		return ""
	}
	return ", while " + strings.Join(running, ", ") + " ran"
}

// keepCover writes the package's coverage data where the rest is.
func (s *session) keepCover() error {
	if s.cover == "" {
		return nil
	}
	for name, packed := range s.files {
		zip, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return err
		}
		data, err := io.ReadAll(zip)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(s.cover, filepath.Base(name)), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}
