package pinning_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
)

// scenario is a task in which every call is made to fail, one a run.
type scenario struct {
	name     string
	task     task
	before   []task       // done first
	programs []string     // whose links are counted
	errnos   []unix.Errno // of bpf(2)
	every    bool         // the calls that only look fail too; TestOutOfFiles has most of them fail
	root     *pinning.Root
}

// usual are the errnos of a process without rights, a kernel without room, and a process without descriptors.
var usual = []unix.Errno{unix.EPERM, unix.ENOSPC, unix.EMFILE}

// scenarios come in groups that do not see each other's links, so that groups can run side by side. Each has a root of its own.
func scenarios(t *testing.T) map[string][]*scenario {
	t.Helper()
	calls := task{Do: "ensure", Object: "raw_tp", Outside: ".bss"}
	counter := task{Do: "ensure", Object: "counter", Outside: ".bss", Cgroup: testenv.Cgroup(t)}
	pinned := task{Do: "ensure", Object: "pinned", Outside: "scratch"}
	a, b := task{Do: "ensure", Object: "events_a", Outside: "events"}, task{Do: "ensure", Object: "events_b", Outside: "events"}
	one := []unix.Errno{unix.ENOSPC} // which errno it is made no difference where all were tried
	groups := map[string][]*scenario{
		"raw_tp": {
			{"pin", calls.do("pin"), nil, []string{"count_calls"}, usual, false, nil},
			{"unpin", calls.do("unpin"), []task{calls}, []string{"count_calls"}, usual, true, nil},
		},
		"counter": {
			{"ensure", counter, nil, []string{"count_ingress", "count_egress"}, usual, false, nil},
			{"unpin", counter.do("unpin"), []task{counter}, []string{"count_ingress", "count_egress"}, one, false, nil},
		},
		"pinned": {
			{"load", pinned.do("load"), nil, nil, one, false, nil},
			{"ensure over maps that are pinned by name", pinned, []task{pinned.do("load")}, nil, one, false, nil},
			{"unpin one of two that share a map", a.do("unpin"), []task{a, b}, nil, one, true, nil},
		},
	}
	for _, group := range groups {
		for _, s := range group {
			s.root = newRoot(t)
			s.task.Root = s.root.Path()
			for i := range s.before {
				s.before[i].Root = s.root.Path()
			}
		}
	}
	return groups
}

// each runs a test of every scenario with the states before and after its task.
func each(t *testing.T, test func(t *testing.T, s *scenario, before, after state)) {
	for name, group := range scenarios(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, s := range group {
				t.Run(s.name, func(t *testing.T) {
					before, after := s.whole(t)
					test(t, s, before, after)
				})
			}
		})
	}
}

// whole does the task without a fault, and gives the states before and after it.
func (s *scenario) whole(t testing.TB) (before, after state) {
	t.Helper()
	s.prepare(t)
	before = s.see(t, s.links(t))
	check(t, s.task.run())
	links := len(s.programs)
	if s.task.Do == "unpin" {
		links = 0
	}
	after = s.see(t, links)
	s.reset(t)
	return before, after
}

func (c task) do(operation string) task {
	c.Do = operation
	return c
}

// state is what a root and the kernel hold.
type state struct {
	Files   []string
	Untyped []string // maps without BTF
	Links   int
}

// links counts those that run the scenario's programs.
func (s *scenario) links(t testing.TB) (n int) {
	t.Helper()
	for _, program := range s.programs {
		n += countLinks(t, program)
	}
	return n
}

// see looks when there are so many links, for which it waits: the kernel frees them some time after they ended.
func (s *scenario) see(t testing.TB, links int) state {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); s.links(t) != links && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	seen := state{Files: files(t, s.root), Links: s.links(t)}
	for _, name := range seen.Files {
		m, err := object.OpenMap(filepath.Join(s.root.Path(), name))
		if err != nil {
			continue // it is something else
		}
		if m.Info().BTFID == 0 {
			seen.Untyped = append(seen.Untyped, name)
		}
		check(t, m.Close())
	}
	return seen
}

// prepare brings the root into the state before the task.
func (s *scenario) prepare(t testing.TB) {
	t.Helper()
	for _, c := range s.before {
		check(t, c.run())
	}
}

// reset unpins everything, which has to be possible, removes what overrides leave, and wants nothing else left.
func (s *scenario) reset(t testing.TB) {
	t.Helper()
	for _, c := range append(slices.Clone(s.before), s.task) {
		if err := c.do("unpin").run(); !errors.Is(err, pinning.ErrNotExist) {
			check(t, err)
		}
	}
	for _, name := range []string{"out/side/events", "out/side", "out"} {
		if err := os.Remove(filepath.Join(s.task.Root, name)); !errors.Is(err, fs.ErrNotExist) {
			check(t, err)
		}
	}
	if left := s.see(t, 0); len(left.Files) > 0 || left.Links > 0 {
		t.Fatalf("after everything was unpinned, %+v is left", left)
	}
}

// faults are the calls that are made to fail, with every errno that is to be expected of it.
var faults = []struct {
	call   string
	looks  bool
	errnos []unix.Errno // nil for the scenario's own
}{
	{"bpf", false, nil}, {"mkdirat", false, usual}, {"symlinkat", false, usual}, {"renameat2", false, usual}, {"unlinkat", false, []unix.Errno{unix.EPERM}},
	{"openat", true, []unix.Errno{unix.EMFILE}}, {"flock", true, []unix.Errno{unix.ENOLCK}}, {"readlinkat", true, []unix.Errno{unix.ENOMEM}},
	{"getdents64", true, []unix.Errno{unix.ENOMEM}}, {"newfstatat", true, []unix.Errno{unix.ENOMEM}},
}

// TestErrorsOfTheKernel makes the first, the second, and so on, of each kind of call fail in each scenario.
func TestErrorsOfTheKernel(t *testing.T) {
	testenv.Host(t, "strace")
	each(t, func(t *testing.T, s *scenario, before, after state) {
		for _, f := range faults {
			if f.looks && !s.every {
				continue
			}
			errnos := f.errnos
			if errnos == nil {
				errnos = s.errnos
			}
			for _, call := range s.calls(t, f.call) {
				for _, errno := range errnos {
					what := fmt.Sprintf("%s:error=%s:when=%d", f.call, unix.ErrnoName(errno), call.n)
					if !s.fault(t, what, errno, before, after) && s.task.Do != "unpin" {
						t.Errorf("%s: no call was made to fail", what) // how often an unpin asks whether a link ended is not fixed
					}
				}
			}
		}
	})
}

// calls gives the calls that the task makes.
func (s *scenario) calls(t testing.TB, kinds ...string) []tracedCall {
	t.Helper()
	s.prepare(t)
	defer s.reset(t)
	return s.task.calls(t, kinds...)
}

// changes tells the calls that change anything. Between two of them, a process may be killed anywhere: what it leaves is the same.
var changes = regexp.MustCompile(`(mkdirat|symlinkat|renameat2|unlinkat|bpf\(BPF_(OBJ_PIN|LINK_CREATE|LINK_DETACH|RAW_TRACEPOINT_OPEN))\b`)

// TestKilled kills each scenario's process before each call that changes anything. The tree is then there as before or as after, or gone and
// finished by the next one; and what is left in a staging directory, the next one to take the lock clears.
func TestKilled(t *testing.T) {
	testenv.Host(t, "strace")
	each(t, func(t *testing.T, s *scenario, before, after state) {
		for _, call := range s.calls(t, "mkdirat", "symlinkat", "renameat2", "unlinkat", "bpf") {
			if !changes.MatchString(call.line) {
				continue
			}
			s.prepare(t)
			if !s.task.killedAt(t, call) {
				t.Errorf("%s: it was not killed", call.line)
			}
			if got := s.tree(files(t, s.root)); len(got) > 0 && !slices.Equal(got, s.tree(before.Files)) && !slices.Equal(got, s.tree(after.Files)) {
				t.Errorf("%s: it left %q", call.line, got)
			}
			if err := s.task.run(); err != nil && !errors.Is(err, pinning.ErrNotExist) && !errors.Is(err, pinning.ErrExist) {
				t.Errorf("%s: once more: %v", call.line, err)
			}
			left := s.see(t, after.Links)
			left.Files = withoutStages(left.Files)
			if diff := cmp.Diff(after, left); diff != "" {
				t.Errorf("%s: done once more (-whole +left):\n%s", call.line, diff)
			}
			s.reset(t)
		}
	})
}

// tree gives the files of the task's object.
func (s *scenario) tree(files []string) (tree []string) {
	for _, name := range files {
		if strings.HasPrefix(name+"/", s.task.Object+"/") {
			tree = append(tree, name)
		}
	}
	return tree
}

// TestReplaceInTwoSteps has the kernel refuse to exchange two directories, as Linux before 5.16 does, and then one of the two renames.
func TestReplaceInTwoSteps(t *testing.T) {
	testenv.Host(t, "strace")
	pinned := task{Do: "ensure", Object: "pinned", Outside: "scratch"}
	s := &scenario{task: pinned, before: []task{pinned.do("load")}, root: newRoot(t)}
	s.task.Root, s.before[0].Root = s.root.Path(), s.root.Path()
	before, after := s.whole(t)
	for _, when := range []string{
		"1",    // the exchange
		"1..2", // also moving the old tree aside
		"1+2",  // also moving the new one there, but not moving the old one back
	} {
		if !s.fault(t, "renameat2:error=EINVAL:when="+when, unix.EINVAL, before, after) {
			t.Errorf("no call was made to fail at %s", when)
		}
	}
}

// TestOutOfFiles lets each scenario have one descriptor more each time, until they are enough.
func TestOutOfFiles(t *testing.T) {
	each(t, func(t *testing.T, s *scenario, before, after state) {
		for enough, n := false, 1; !enough; n++ {
			s.prepare(t)
			c := s.task
			c.Files, c.Errno = n, unix.EMFILE
			says, _ := c.inChild(t)
			s.judge(t, fmt.Sprintf("%d descriptors", n), says, unix.EMFILE, before, after)
			s.reset(t)
			enough = says.Error == ""
		}
	})
}

// fault does the task in a child with one fault, and reports whether there was a call to fail.
func (s *scenario) fault(t *testing.T, fault string, errno unix.Errno, before, after state) bool {
	t.Helper()
	s.prepare(t)
	c := s.task
	c.Errno = errno
	says, failed := c.withFault(t, fault)
	if failed != "" {
		s.judge(t, fault+", "+strings.TrimSpace(failed), says, errno, before, after)
	}
	s.reset(t)
	return failed != ""
}

// judge looks at what a fault left: all as before, or, of an unpin, what the next one finishes.
func (s *scenario) judge(t *testing.T, what string, says answer, errno unix.Errno, before, after state) {
	t.Helper()
	if says.Error == "" {
		// What failed was not needed. If that was to take away what nobody needs any more, the next one to take the lock does it.
		left := s.see(t, after.Links)
		left.Files = withoutStages(left.Files)
		if diff := cmp.Diff(after, left); diff != "" {
			t.Errorf("%s: it succeeded (-whole +left):\n%s", what, diff)
		}
		return
	}
	judgeError(t, s.task, what, says, errno)
	links := before.Links
	if s.task.Do == "unpin" {
		links = s.links(t) // some may be gone
	}
	left := s.see(t, links)
	if noLock.MatchString(what) {
		left.Files = withoutStages(left.Files)
	}
	begun := s.task.Do == "unpin" && !slices.Contains(left.Files, s.task.Object)
	if diff := cmp.Diff(before, left); diff != "" && !begun {
		t.Errorf("%s: %s (-before +left):\n%s", what, says.Error, diff)
	}
	if err := s.task.run(); err != nil && !(begun && errors.Is(err, pinning.ErrNotExist)) {
		t.Errorf("%s: %s; once more: %v", what, says.Error, err)
	}
	if diff := cmp.Diff(after, s.see(t, after.Links)); diff != "" {
		t.Errorf("%s: %s; done once more (-whole +left):\n%s", what, says.Error, diff)
	}
}

// withoutStages leaves out what lies in directories that are there for their locks.
func withoutStages(files []string) (rest []string) {
	for _, name := range files {
		if !strings.HasPrefix(name, "%stage-") {
			rest = append(rest, name)
		}
	}
	return rest
}

// noLock tells the faults that keep from locking the directory that was just made for it. It stays, since another may have locked it.
var noLock = regexp.MustCompile(`openat\(\d+, "%stage-|flock\(`)

// advised are the calls about whose errnos there is something to be said.
var advised = regexp.MustCompile(`, \d+ +(mkdirat|symlinkat|renameat2|bpf\(BPF_(OBJ_PIN|OBJ_GET,|PROG_LOAD|MAP_CREATE|BTF_LOAD|LINK_CREATE|RAW_TRACEPOINT_OPEN))`)

// judgeError wants the errno, what was done to what, and where it is known what to do about it, that too.
func judgeError(t *testing.T, c task, what string, says answer, errno unix.Errno) {
	t.Helper()
	advice := ""
	if advised.MatchString(what) {
		advice = map[unix.Errno]string{unix.EPERM: "CAP_", unix.EMFILE: "ulimit -n"}[errno]
	}
	named := regexp.MustCompile(`^(pin|load|ensure|unpin|attach|open|look at) .*(` + c.Object + `|count_|` + c.Root + `|cgroup)`)
	if !says.Is || !named.MatchString(says.Error) || !strings.Contains(says.Error, errno.Error()) || !strings.Contains(says.Error, advice) {
		t.Errorf("%s: the error is %q, it is %v: %t; want what was done to what, and %q", what, says.Error, errno, says.Is, advice)
	}
}
