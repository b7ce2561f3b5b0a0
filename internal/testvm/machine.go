package testvm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/pinion-bpf/pinion/internal/testvm/kernels"
	"github.com/pinion-bpf/pinion/internal/testvm/report"
)

// errHang ends a machine that showed no progress.
var errHang = errors.New("a deadline passed")

// runKernel runs all tests on one kernel. Where a package brings the machine down, it is booted again for those that follow.
func (r *run) runKernel(ctx context.Context, k kernels.Kernel) (column report.Column) {
	column = report.Column{Line: k.Line, Newest: k.Newest}
	machine, err := r.prepare(k)
	if err != nil {
		column.Problems = append(column.Problems, report.Problem{Kind: report.Start, Text: err.Error()})
		return column
	}
	defer os.Remove(machine.Initramfs)
	for from := 0; from < len(r.tests) && ctx.Err() == nil; {
		machine.Plan.From = from
		s := r.boot(ctx, machine, &column)
		if s.done || !s.greeted || s.index < from {
			break
		}
		from = s.index + 1
	}
	r.config.Report(Event{Kernel: k.Line, Doing: "off"})
	return column
}

// prepare makes a kernel's image.
func (r *run) prepare(k kernels.Kernel) (*Machine, error) {
	guest, host := r.config.plans(k, r.tests)
	own, image := filepath.Join(r.config.temp, k.Line+".cpio"), filepath.Join(r.config.temp, k.Line+".initramfs")
	if err := r.config.writeOwn(own, k, guest); err != nil {
		return nil, err
	}
	defer os.Remove(own)
	if err := join(image, r.common, own); err != nil {
		return nil, err
	}
	return &Machine{
		Kernel: k, Initramfs: image, Guest: r.guest, Plan: host, Modules: r.config.Modules,
		MemMiB: r.config.MemMiB, CPUs: r.config.CPUs, Append: r.config.Append,
	}, nil
}

// boot boots a machine once, and takes what comes of it into the column.
func (r *run) boot(ctx context.Context, m *Machine, column *report.Column) *session {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	deadline := time.AfterFunc(r.config.boot, func() { cancel(errHang) })
	defer deadline.Stop()
	s := &session{
		config: r.config, column: column, report: r.config.Report, console: &console{tee: r.config.consoleOf(column.Line)}, index: -1, begun: time.Now(),
		expire: func(after time.Duration) { deadline.Reset(after) },
	}
	if r.config.Cover {
		s.cover = filepath.Join(r.config.temp, "cover", column.Line)
		if err := os.MkdirAll(s.cover, 0o700); err != nil {
			s.problem(report.Problem{Kind: report.Start, Text: err.Error()})
			return s
		}
	}
	s.report(Event{Kernel: column.Line, Doing: "boots"})
	read, write := io.Pipe()
	m.Console, m.Frames = s.console, write
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		s.follow(read)
		// Nobody may wait for a reader that has gone.
		_, _ = io.Copy(io.Discard, read)
	}()
	begun := time.Now()
	err := r.config.Backend.Boot(ctx, m)
	write.Close()
	<-followed
	s.phase("machine", time.Since(begun))
	r.saw(s.first)
	s.over(err, context.Cause(ctx))
	return s
}

// over takes the end of the machine.
func (s *session) over(err, cause error) {
	if s.done && err == nil {
		for _, line := range s.console.takeTrouble() {
			s.problem(report.Problem{Kind: report.Console, Text: line, Words: s.console.words()})
		}
		return
	}
	problem := s.diagnose(err, cause)
	if problem.Kind == report.Panic { // the lines of its trouble tell of the same
		s.console.takeTrouble()
	}
	s.problem(problem)
	if s.within {
		s.finish(nothing, problem.Text)
	}
}

// diagnose says why a machine ended before its time.
func (s *session) diagnose(err, cause error) report.Problem {
	p := report.Problem{Words: s.console.words()}
	reason, panics := s.console.panic()
	running := ""
	if s.within {
		running = still(s.parser.Running())
	}
	switch {
	case panics && noMemory.MatchString(reason):
		p.Kind, p.Text = report.Memory, "the kernel panicked: "+reason+running
	case panics:
		p.Kind, p.Text = report.Panic, reason+running
	case errors.Is(cause, errHang) && !s.greeted:
		p.Kind, p.Text = report.Hang, fmt.Sprintf("the guest did not start within %v", s.config.boot)
	case errors.Is(cause, errHang):
		p.Kind, p.Text = report.Hang, fmt.Sprintf("nothing came for longer than tests may take (-timeout %v)%s", s.config.Timeout, running)
	case cause != nil:
		p.Kind, p.Text, p.Words = report.Canceled, "interrupted"+running, ""
	case err != nil:
		p.Kind, p.Text = report.Start, err.Error()
	case s.lost != nil:
		p.Kind, p.Text = report.Line, s.lost.Error()+running
	case !s.greeted:
		p.Kind, p.Text = report.Start, "the machine went off before the guest started"
	default:
		p.Kind, p.Text = report.Crash, "the machine went off before its tests were over"+running
	}
	return p
}
