package faults

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pinion-bpf/pinion/sys"
)

// mostReported is how many failures of one operation are told: the next hundred have the same cause.
const mostReported = 5

// A Bench is a bpffs on which one operation after the other is done. Its goroutine must be locked to its thread.
type Bench struct {
	Env
	table []*Operation
	unpin func(root, tree string) error // gives nil also where there is none
	judge *judge

	tracer Tracer
	helper helper
}

// NewBench makes a bench of a bpffs and a cgroup of its own, and puts things on it that are nobody's business.
func NewBench(env Env, objects string, table []*Operation, unpin func(root, tree string) error) (*Bench, error) {
	b := &Bench{Env: env, table: table, unpin: unpin}
	b.Env.bench = b
	var err error
	if b.judge, err = newJudge(objects); err != nil {
		return nil, err
	}
	if err := foreign(env.Root); err != nil {
		return nil, err
	}
	b.judge.others, err = Look(env.Root)
	return b, err
}

// foreign makes files that Pinion must leave alone: a pin, symbolic links to it and to where trees will be, and a directory like a tree's.
func foreign(root string) error {
	for _, dir := range []string{"theirs", "theirs/links", "%sta"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	for from, to := range map[string]string{"theirs/link": "map", "link": "theirs", "theirs/tree": "../raw_tp"} {
		if err := os.Symlink(to, filepath.Join(root, from)); err != nil {
			return err
		}
	}
	fd, err := sys.MapCreate(&sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		return err
	}
	defer fd.Close()
	path, err := sys.CString(filepath.Join(root, "theirs/map"))
	if err != nil {
		return err
	}
	return sys.ObjPin(&sys.ObjAttr{Pathname: path, BPFFD: fd.Attr()})
}

// A Sweep does one operation with fault after fault.
type Sweep struct {
	*Bench
	Counts
	t        testing.TB
	op       *Operation
	calls    []Call
	strange  map[uint32]uint32 // links that ran a program of that name before
	before   View              // what the operation finds
	ready    bool              // that is there
	always   bool              // a process that has done it does it another way next time: each run needs a new one
	reported int
	settled  map[string]bool // shapes of what was left, and the next process dealt with
	seen     seenIDs         // what was pinned at any time
}

// NewSweep does the operation once, without a fault, and so learns its calls.
func (b *Bench) NewSweep(t testing.TB, op *Operation) *Sweep {
	t.Helper()
	s := &Sweep{Bench: b, t: t, op: op, settled: make(map[string]bool), seen: make(seenIDs)}
	var err error
	if s.strange, err = Links(op.Programs, inode(b.Cgroup)); err != nil {
		t.Fatal(err)
	}
	outcome := s.one()
	s.calls = outcome.Calls
	s.always = os.Getenv("PINION_VM") != "" && os.Getenv("PINION_FAULTS") == "" || !slices.Equal(s.calls, s.one().Calls) // for few runs, it is not worth to find out
	s.Counts.Calls = len(s.calls)
	return s
}

// All does the operation with about n of the faults, all of them for 0.
func (s *Sweep) All(n int) {
	name := fnv.New32a()
	name.Write([]byte(s.op.Name))
	for _, f := range some(cases(s.calls), n, int(name.Sum32()%64)) {
		if s.reported >= mostReported {
			s.t.Errorf("%s: no further faults, since %d runs failed", s.op.Name, s.reported)
			return
		}
		s.one(f)
	}
}

// Random does the operation with one fault, or two of which the second may be in what the first one leads to.
func (s *Sweep) Random(random *rand.Rand) {
	all := cases(s.calls)
	if len(all) == 0 {
		return // it failed before it began, and that was told
	}
	faults := []Fault{all[random.IntN(len(all))]}
	if random.IntN(2) == 0 {
		second := all[random.IntN(len(all))]
		second.Call = s.calls[second.At-1].Name // since other calls give other errnos
		second.At = 1 + random.IntN(5)
		for i := range faults[0].At {
			if s.calls[i].Name == second.Call {
				second.At++
			}
		}
		faults = append(faults, second)
	}
	s.one(faults...)
}

// End makes sure that the kernel has freed what was pinned at any time.
func (s *Sweep) End() {
	s.t.Helper()
	s.clear("at the end")
	s.tracer.Close()
	for kind, ids := range s.seen {
		var left []uint32
		_, err := until(func() (bool, error) {
			now, err := alive(kind)
			left = slices.Sorted(maps.Keys(ids))
			left = slices.DeleteFunc(left, func(id uint32) bool { return !now[id] })
			return len(left) == 0, err
		})
		if err != nil || len(left) > 0 {
			s.t.Errorf("%s: when all is unpinned, the kernel has %ss %v left (%v)", s.op.Name, kind, left, err)
		}
	}
}

// one does the operation once, with faults, and judges what it leaves. It gives nil if that could not be done.
func (s *Sweep) one(faults ...Fault) *Outcome {
	s.t.Helper()
	if err := s.prepare(); err != nil {
		s.t.Fatalf("%s: prepare: %v", s.op.Name, err)
	}
	outcome, err := s.tracer.Do(Task{Operation: s.op.Name, Env: s.Env}, s.op.NoExchange, faults...)
	if err != nil {
		s.t.Fatalf("%s: %v", s.op.Name, err)
	}
	s.count(&outcome, faults)
	if s.always || outcome.Broken != "" || foundAnotherWay(&outcome) {
		s.tracer.Close()
	}
	what := describe(&outcome, faults)
	wrong := s.op.misbehaved(&outcome, faults)
	if len(faults) == 0 && (outcome.Error != "" || !outcome.Begun) {
		wrong = append(wrong, fmt.Sprintf("it fails: %q, begun: %t", outcome.Error, outcome.Begun))
	}
	left, more := s.look(what, false)
	wrong = append(wrong, more...)
	if state, may := s.judge.state(left, s.op.Tree), s.op.mayLeave(&outcome, faults); !slices.Contains(may, state) {
		wrong = append(wrong, fmt.Sprintf("it left %s, want one of %q", state, may))
	} else if state == s.op.start() && state != Gap {
		_, died := s.before["%stage-"+s.op.Tree] // then it is not this process's to undo
		undone := !outcome.Killed && len(faults) == 1 && !faults[0].Rest && !died
		wrong = append(wrong, s.changed(left, undone)...)
	}
	s.ready = maps.Equal(left, s.before)
	if len(wrong) > 0 {
		s.report(what, wrong, left)
	}
	shape := left.shape()
	if len(wrong) == 0 && (s.ready || s.settled[shape]) && len(faults) > 0 {
		if !s.ready {
			s.clear(what)
		}
		return &outcome
	}
	s.next(what)
	s.settled[shape] = true
	s.Counts.Left = len(s.settled)
	s.clear(what)
	return &outcome
}

// foundAnotherWay tells whether the child may know now that the kernel has not what bpf(2) refused, and ask for it no more.
func foundAnotherWay(outcome *Outcome) bool {
	return outcome.Error == "" && slices.ContainsFunc(outcome.Hit, func(h Hit) bool { return h.Call.kind() == "bpf" })
}

// count counts what a run was.
func (s *Sweep) count(outcome *Outcome, faults []Fault) {
	switch {
	case len(faults) == 0:
	case len(outcome.Hit) == 0:
		s.Missed++
	case outcome.Killed:
		s.Kills++
	default:
		s.Errors++
		if outcome.Error == "" {
			s.Survived++
		}
	}
}

// describe tells what happened to a run.
func describe(outcome *Outcome, faults []Fault) string {
	if len(faults) == 0 {
		return "without a fault"
	}
	var all []string
	for _, hit := range outcome.Hit {
		all = append(all, fmt.Sprintf("%v: %v", hit.Call, hit.Fault))
	}
	return fmt.Sprintf("%s; error %q", strings.Join(all, "; "), outcome.Error)
}

// misbehaved tells what is wrong with how a child ended.
func (o *Operation) misbehaved(outcome *Outcome, faults []Fault) (wrong []string) {
	if outcome.Broken != "" {
		wrong = append(wrong, outcome.Broken)
	}
	if len(outcome.Answer.Left) > 0 {
		wrong = append(wrong, fmt.Sprintf("it left descriptors open: %q", outcome.Answer.Left))
	}
	if outcome.Killed || outcome.Error == "" || len(outcome.Hit) == 0 {
		return wrong
	}
	for _, f := range faults {
		if f.Errno != 0 && saysSomething(outcome.Error, f.Errno) {
			return wrong
		}
	}
	return append(wrong, "the error does not say why")
}

// prepare makes what the operation finds, unless it is there.
func (s *Sweep) prepare() error {
	if s.ready {
		return nil
	}
	if s.op.Prepare != nil {
		if err := s.op.Prepare(&s.Env); err != nil {
			return err
		}
	}
	for _, place := range s.op.Keeps {
		if err := setNumber(filepath.Join(s.Root, place)); err != nil {
			return err
		}
	}
	var err error
	if s.before, err = Look(s.Root); err != nil {
		return err
	}
	s.note(s.before)
	s.ready = true
	if state := s.judge.state(s.before, s.op.Tree); state != s.op.start() {
		return fmt.Errorf("the tree is %s, want %s:\n%s", state, s.op.start(), s.before)
	}
	return nil
}

// look waits until the kernel has freed what nobody holds, and gives what is there and what is wrong with it.
func (s *Sweep) look(what string, settled bool) (View, []string) {
	s.t.Helper()
	v, err := Look(s.Root)
	if err != nil {
		s.t.Fatalf("%s, %s: %v", s.op.Name, what, err)
	}
	s.note(v)
	pinned := v.links()
	var stray []uint32
	_, err = until(func() (bool, error) {
		all, err := Links(s.op.Programs, inode(s.Cgroup))
		stray = slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(id uint32) bool { return pinned[id] || s.strange[id] != 0 })
		return len(stray) == 0, err
	})
	if err != nil {
		s.t.Fatalf("%s, %s: %v", s.op.Name, what, err)
	}
	wrong := s.judge.wrong(v, settled, s.op.May)
	if len(stray) > 0 {
		wrong = append(wrong, fmt.Sprintf("links %v run programs of it, and nobody accounts for them", stray))
	}
	for _, place := range s.op.Keeps {
		if _, there := v[place]; !there {
			continue // what is wrong with that is said already, or it is in staging
		}
		if n, err := number(filepath.Join(s.Root, place)); err != nil || n < kept {
			wrong = append(wrong, fmt.Sprintf("%s has %d in it (%v), and had %d", place, n, err, kept))
		}
	}
	return v, wrong
}

// note remembers what is pinned.
func (s *Sweep) note(v View) {
	for path, e := range v {
		if _, theirs := s.judge.others[path]; theirs || e.Kind == sys.KindUnknown {
			continue
		}
		if s.seen[e.Kind] == nil {
			s.seen[e.Kind] = make(map[uint32]bool)
		}
		s.seen[e.Kind][e.ID] = true
	}
}

// changed tells whether the tree, which is in the same state as before, is another one. In the middle of an upgrade, links that can be switched run the new
// program already, unless what failed was undone.
func (s *Sweep) changed(left View, undone bool) (wrong []string) {
	// What clears up takes these away, and is done with a state of the same name.
	clears := s.op.start() == s.op.End
	for _, path := range append(s.before.paths(s.op.Tree), left.paths(s.op.Tree)...) {
		if clears && (strings.HasPrefix(path, s.op.Tree+"/%previous") || strings.HasPrefix(path, s.op.Tree+"/%outside")) {
			continue
		}
		before, now := s.before[path], left[path]
		if !undone {
			before.Program, now.Program = 0, 0
		}
		if before != now {
			wrong = append(wrong, fmt.Sprintf("%s was %+v, and is %+v", path, before, now))
		}
	}
	return wrong
}

// next has a fresh process deal with what was left.
func (s *Sweep) next(what string) {
	s.t.Helper()
	err := s.helper.run(Task{Operation: s.op.Name, Next: true, Env: s.Env})
	v, wrong := s.look(what, true)
	if err != nil {
		wrong = append(wrong, "it fails: "+err.Error())
	}
	if state := s.judge.state(v, s.op.Tree); state != s.op.Settled {
		wrong = append(wrong, fmt.Sprintf("it left %s, want %s", state, s.op.Settled))
	}
	if s.op.Runs != nil && len(wrong) == 0 {
		if err := s.op.Runs(&s.Env); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	if len(wrong) > 0 {
		s.report(what+"; what the next process does", wrong, v)
	}
}

// clear unpins everything, and wants nothing left.
func (s *Sweep) clear(what string) {
	s.t.Helper()
	v, err := Look(s.Root)
	if err != nil {
		s.t.Fatal(err)
	}
	trees := map[string]bool{s.op.Tree: true}
	for path := range v {
		if stage, is := strings.CutPrefix(path, "%stage-"); is && !strings.Contains(stage, "/") {
			trees[stage] = true
		}
		if dir, is := strings.CutSuffix(path, "/%record"); is && !strings.Contains(dir, "/") {
			trees[dir] = true
		}
	}
	var wrong []string
	for _, tree := range slices.Sorted(maps.Keys(trees)) {
		if err := s.unpin(s.Root, tree); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	for _, path := range slices.Backward(slices.Sorted(slices.Values(s.op.May))) {
		os.Remove(filepath.Join(s.Root, path)) // it need not be there
	}
	left, more := s.look(what, true)
	wrong = append(wrong, more...)
	if !maps.Equal(left, s.judge.others) {
		wrong = append(wrong, "it is not empty")
		for _, path := range slices.Backward(left.paths("")) {
			if _, theirs := s.judge.others[path]; !theirs {
				os.Remove(filepath.Join(s.Root, path))
			}
		}
	}
	s.ready = s.op.Prepare == nil
	if s.ready {
		s.before = s.judge.others
	}
	if len(wrong) > 0 {
		s.report(what+"; when all is unpinned", wrong, left)
	}
}

func (s *Sweep) report(what string, wrong []string, v View) {
	s.t.Helper()
	s.reported++
	if s.reported > mostReported {
		s.t.Errorf("%s, %s: %s", s.op.Name, what, wrong[0])
		return
	}
	s.t.Errorf("%s, %s:\n- %s\nbefore:\n%sleft:\n%s", s.op.Name, what, strings.Join(wrong, "\n- "), s.before, v)
}

// seenIDs are the kernel's ids of what was there at any time.
type seenIDs map[sys.Kind]map[uint32]bool
