package testvm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/internal/testvm/kernels"
	"github.com/pinion-bpf/pinion/internal/testvm/report"
	"github.com/pinion-bpf/pinion/internal/testvm/wire"
)

// fake is a back end whose machines do what a test says, one after the other.
type fake struct {
	boots []func(ctx context.Context, m *Machine) error
}

func (*fake) Name() string { return "fake" }

func (f *fake) Boot(ctx context.Context, m *Machine) error {
	boot := f.boots[0]
	f.boots = f.boots[1:]
	return boot(ctx, m)
}

// guest makes a machine of a guest that sends its frames.
func guest(say func(*guestLine)) func(context.Context, *Machine) error {
	return func(ctx context.Context, m *Machine) error {
		say(&guestLine{ctx: ctx, m: m, w: wire.NewWriter(m.Frames)})
		return nil
	}
}

// guestLine is what a guest writes to.
type guestLine struct {
	ctx context.Context
	m   *Machine
	w   *wire.Writer
}

func (g *guestLine) send(kind, name, data string) {
	if err := g.w.Write(wire.Frame{Kind: kind, Name: name, Data: []byte(data)}); err != nil {
		panic(err)
	}
}

func (g *guestLine) hello() { g.send(wire.Hello, "", `{"Release":"6.12.0"}`) }

func (g *guestLine) begin(name string) {
	g.send(wire.Begin, name, "")
	g.send(wire.Out, name, "\x16=== RUN   TestA\n\x16--- PASS: TestA (0.00s)\n\x16=== RUN   TestB\n")
}

func (g *guestLine) end(name string, e wire.Ending) {
	data, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	g.send(wire.End, name, string(data))
}

func (g *guestLine) pass(names ...string) {
	for _, name := range names {
		g.begin(name)
		g.send(wire.Out, name, "\x16--- PASS: TestB (0.00s)\n\x16PASS\n")
		g.end(name, wire.Ending{Took: time.Second})
	}
}

func (g *guestLine) done() { g.send(wire.Done, "", "") }

func (g *guestLine) console(text string) { fmt.Fprint(g.m.Console, text) }

func (g *guestLine) raw(text string) { fmt.Fprint(g.m.Frames, text) }

// summary is a column in short: each package with its tests and problems, then the machine's problems.
func summary(c report.Column) (lines []string) {
	problems := func(of string, all []report.Problem) {
		for _, p := range all {
			line := fmt.Sprintf("%s: %s: %s", of, p.Kind, p.Text)
			if p.Words != "" {
				line += " | " + p.Words
			}
			lines = append(lines, line)
		}
	}
	for _, r := range c.Results {
		line := r.Package
		for _, t := range r.Tests {
			line += " " + t.Name + "=" + string(t.Status)
		}
		lines = append(lines, line)
		problems(r.Package, r.Problems)
	}
	problems("machine", c.Problems)
	return lines
}

// runFake runs the packages a, b and c on one kernel of a fake back end.
func runFake(t *testing.T, boots ...func(context.Context, *Machine) error) []string {
	t.Helper()
	temp := t.TempDir()
	backend := &fake{boots: boots}
	c := &Config{Backend: backend, MemMiB: 99, Timeout: time.Second, boot: 500 * time.Millisecond, between: 300 * time.Millisecond, temp: temp}
	c.setDefaults()
	r := &run{config: c, matrix: &report.Matrix{}, common: filepath.Join(temp, "common")}
	if err := os.WriteFile(r.common, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c"} {
		c.names = append(c.names, name)
		r.tests = append(r.tests, testBinary{name: name})
	}
	column := r.runKernel(t.Context(), kernels.Kernel{Line: "6.12"})
	if len(backend.boots) > 0 {
		t.Errorf("the machine was booted %d times too few", len(backend.boots))
	}
	if left, err := filepath.Glob(filepath.Join(temp, "6.12*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
	return summary(column)
}

const passA, passB, passC = "a TestA=pass TestB=pass", "b TestA=pass TestB=pass", "c TestA=pass TestB=pass"

// boot is what a machine does.
type boot = func(context.Context, *Machine) error

// A machineCase is what machines do, and what comes of it.
type machineCase struct {
	boots []boot
	want  []string
}

func runCases(t *testing.T, cases map[string]machineCase) {
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, runFake(t, c.boots...)); diff != "" {
				t.Errorf("column (-want +got):\n%s", diff)
			}
		})
	}
}

// inB is a machine that does something while b's tests run, and goes off.
func inB(say func(*guestLine)) boot {
	return guest(func(g *guestLine) { g.hello(); g.pass("a"); g.begin("b"); say(g) })
}

// rest is the machine that is booted again for what is left.
func rest(ctx context.Context, m *Machine) error {
	return guest(func(g *guestLine) { g.hello(); g.pass("c"); g.done() })(ctx, m)
}

func TestMachinesThatDie(t *testing.T) {
	const panics = "[1.0] sysrq: Trigger a crash\n[1.1] Kernel panic - not syncing: sysrq triggered crash\n[1.2] CPU: 0"
	runCases(t, map[string]machineCase{
		"panic": {
			[]boot{inB(func(g *guestLine) { g.console(panics) }), rest},
			[]string{passA, "b TestA=pass TestB=fail", "b: panic: sysrq triggered crash, while TestB ran | " + panics, passC},
		},
		"panic for want of memory": {
			[]boot{
				inB(func(g *guestLine) { g.console("Kernel panic - not syncing: System is deadlocked on memory\n") }), rest,
			},
			[]string{passA, "b TestA=pass TestB=fail",
				"b: out of memory: the kernel panicked: System is deadlocked on memory, while TestB ran | Kernel panic - not syncing: System is deadlocked on memory", passC},
		},
		"hang": {
			[]boot{func(ctx context.Context, m *Machine) error {
				g := &guestLine{ctx: ctx, m: m, w: wire.NewWriter(m.Frames)}
				g.hello()
				g.pass("a", "b")
				g.console("the last words\n")
				<-ctx.Done()
				return ctx.Err()
			}, rest},
			[]string{passA, passB, passC, "machine: hang: nothing came for longer than tests may take (-timeout 1s) | the last words"},
		},
		"no guest": {
			[]boot{func(ctx context.Context, m *Machine) error {
				fmt.Fprint(m.Console, "Booting")
				<-ctx.Done()
				return ctx.Err()
			}},
			[]string{"machine: hang: the guest did not start within 500ms | Booting"},
		},
		"no start": {
			[]boot{func(context.Context, *Machine) error { return errors.New("no such machine") }},
			[]string{"machine: no start: no such machine"},
		},
		"off at once": {
			[]boot{guest(func(*guestLine) {})},
			[]string{"machine: no start: the machine went off before the guest started"},
		},
		"off in between": {
			[]boot{inB(func(*guestLine) {}), rest},
			[]string{passA, "b TestA=pass TestB=fail", "b: crash: the machine went off before its tests were over, while TestB ran", passC},
		},
	})
}

func TestLines(t *testing.T) {
	runCases(t, map[string]machineCase{
		"all well": {
			[]boot{guest(func(g *guestLine) {
				g.raw("SeaBIOS\n")
				g.hello()
				g.pass("a", "b", "c")
				g.done()
				g.raw("bye\n")
				g.console("[1.0] WARNING: Unprivileged eBPF is enabled\n[2.0] DEBUG: no BUGS\n")
			})},
			[]string{passA, passB, passC},
		},
		"truncated": {
			[]boot{inB(func(g *guestLine) { g.raw("\x16@vm out 9 100 00000000 \"b\"\nabc") }), rest},
			[]string{passA, "b TestA=pass TestB=fail", "b: line: the line ended within a frame, while TestB ran", passC},
		},
		"junk": {
			[]boot{guest(func(g *guestLine) {
				g.hello()
				g.pass("a")
				g.begin("b")
				g.raw("junk\xff")
				g.send(wire.Out, "b", "\x16--- PASS: TestB (0.00s)\n")
				g.end("b", wire.Ending{})
				g.pass("c")
				g.done()
			})},
			[]string{passA, passB, `b: line: the line of results carried what is none | what is no frame begins with "junk\xff"`, passC},
		},
		"lost frames": {
			[]boot{inB(func(g *guestLine) {
				frames := g.w
				g.w = wire.NewWriter(io.Discard)
				for range 7 {
					g.send(wire.Out, "b", "")
				}
				*g = guestLine{g.ctx, g.m, frames}
				g.raw(frameAfter(t, 12))
			}), rest},
			[]string{passA, "b TestA=pass TestB=fail", "b: line: 5 frames were lost on the line",
				"b: crash: the machine went off before its tests were over, while TestB ran", passC},
		},
		"a warning": {
			[]boot{guest(func(g *guestLine) {
				g.hello()
				g.begin("a")
				g.console("[1.0] WARNING: CPU: 0 PID: 1 at x.c:1\n")
				g.send(wire.Out, "a", "\x16--- PASS: TestB (0.00s)\n")
				g.end("a", wire.Ending{})
				g.pass("b", "c")
				g.done()
				g.console("[2.0] BUG: at the end\n")
			})},
			[]string{passA, "a: console: [1.0] WARNING: CPU: 0 PID: 1 at x.c:1 | [1.0] WARNING: CPU: 0 PID: 1 at x.c:1", passB, passC,
				"machine: console: [2.0] BUG: at the end | [1.0] WARNING: CPU: 0 PID: 1 at x.c:1\n[2.0] BUG: at the end"},
		},
	})
}

// frameAfter gives an empty frame of output with a sequence number.
func frameAfter(t *testing.T, sequence int) string {
	var line strings.Builder
	w := wire.NewWriter(&line)
	for range sequence + 1 {
		line.Reset()
		if err := w.Write(wire.Frame{Kind: wire.Out, Name: "b"}); err != nil {
			t.Fatal(err)
		}
	}
	return line.String()
}

func TestEndings(t *testing.T) {
	for _, c := range []struct {
		name, out string
		ending    wire.Ending
		want      []string
	}{
		{"exit 3", "", wire.Ending{Exit: 3}, []string{"a TestA=pass TestB=fail", "a: exit: exit status 3, while TestB ran"}},
		{"exit 0 too early", "", wire.Ending{}, []string{"a TestA=pass TestB=fail", "a: exit: exit status 0, while TestB ran"}},
		{"a test failed", "\x16--- FAIL: TestB (0.00s)\n\x16FAIL\n", wire.Ending{Exit: 1}, []string{"a TestA=pass TestB=fail"}},
		{"no test failed", "\x16--- PASS: TestB (0.00s)\n\x16PASS\nleak\n", wire.Ending{Exit: 1}, []string{passA, "a: exit: exit status 1"}},
		{"a Go panic", "panic: oh\n", wire.Ending{Exit: 2}, []string{"a TestA=pass TestB=fail", "a: crash: panic: oh"}},
		{"its own timeout", "panic: test timed out after 1s\n", wire.Ending{Exit: 2},
			[]string{"a TestA=pass TestB=fail", "a: hang: test timed out after 1s, while TestB ran"}},
		{"killed", "", wire.Ending{Exit: -1, Signal: "killed", Killed: true, Took: 2 * time.Second},
			[]string{"a TestA=pass TestB=fail", "a: hang: it was killed after 2s, since it did not even end by its timeout of 1s"}},
		{"a signal", "", wire.Ending{Exit: -1, Signal: "segmentation fault"},
			[]string{"a TestA=pass TestB=fail", "a: crash: the test binary was ended by a signal: segmentation fault"}},
		{"memory", "", wire.Ending{Exit: -1, Signal: "killed", OOM: 1}, []string{"a TestA=pass TestB=fail",
			"a: out of memory: the kernel killed 1 of its processes because memory was short: the machine has 99 MiB (-mem)"}},
		{"not run", "", wire.Ending{Exit: -1, Error: "no such file"}, []string{"a TestA=pass TestB=fail", "a: no start: no such file"}},
		{"too much", "\x16--- PASS: TestB (0.00s)\n", wire.Ending{Missing: 7}, []string{passA, "a: line: it wrote too much: the last 7 bytes are missing"}},
	} {
		got := runFake(t, guest(func(g *guestLine) {
			g.hello()
			g.begin("a")
			g.send(wire.Out, "a", c.out)
			g.end("a", c.ending)
			g.pass("b", "c")
			g.done()
		}))
		for i, line := range got {
			got[i], _, _ = strings.Cut(line, " | ") // the words are the other tests' affair
		}
		if diff := cmp.Diff(append(c.want, passB, passC), got); diff != "" {
			t.Errorf("%s: column (-want +got):\n%s", c.name, diff)
		}
	}
}
