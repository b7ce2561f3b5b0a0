package faults

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pinion-bpf/pinion/internal/testenv"
)

var (
	full     = flag.Bool("full", os.Getenv("PINION_FAULTS") == "full", "every fault, where otherwise some are chosen, and tell how many there were")
	sample   = flag.Int("sample", 0, "so many faults of each operation, always the same ones, and tell how many there were")
	duration = flag.Duration("for", 0, "how long random faults are tried, half of it while one process works, and half while many race")
	seed     = flag.Uint64("seed", 1, "of what is random")
)

// size says how many faults each operation suffers, 0 for all, and how many pairs of faults, the second one while the first is dealt with. On a kernel
// that is emulated, a run takes ten times as long; there, where tests get no flags, the environment asks for all.
func size() (faults, pairs int) {
	switch {
	case *full:
		return 0, 30
	case *sample > 0:
		return *sample, *sample / 10
	case os.Getenv("PINION_VM") != "":
		return 4, 0
	}
	return 20, 3
}

// TestFaults does every operation of the table with one fault after the other, and some with two. With -for, it does operations with random faults
// for half of that. Groups of operations that see each other's links run one after the other, and two groups at once.
func TestFaults(t *testing.T) {
	needTracer(t)
	table, begun := operationsHere(t), time.Now()
	faults, pairs := size()
	counts, all := newSummary(), groups(table)
	turns := (len(all) + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0) // that the groups take, so many at once
	t.Run("of", func(t *testing.T) {
		for _, group := range all {
			t.Run(group[0].Tree, func(t *testing.T) {
				t.Parallel()
				b := newBench(t, table)
				if *duration == 0 {
					for _, op := range group {
						counts.sweep(t, b, op, faults, pairs, *seed)
					}
				}
				random, mine := rand.New(rand.NewPCG(*seed, 0)), time.Now()
				for time.Since(mine) < *duration/2/time.Duration(turns) && !t.Failed() {
					counts.sweep(t, b, group[random.IntN(len(group))], 1, 100, random.Uint64())
				}
			})
		}
	})
	counts.print(t, table, time.Since(begun))
}

// sweep does one operation with so many faults, and with so many pairs of random ones.
func (s *summary) sweep(t *testing.T, b *Bench, op *Operation, faults, pairs int, seed uint64) {
	t.Run(op.Name, func(t *testing.T) {
		lockThread(t)
		sweep := b.NewSweep(t, op)
		sweep.All(faults)
		r := rand.New(rand.NewPCG(seed, 1))
		for range pairs {
			sweep.Random(r)
		}
		sweep.End()
		s.add(op.Name, sweep.Counts)
	})
}

func needTracer(t *testing.T) {
	t.Helper()
	testenv.Root(t)
	testenv.Machine(t, Supported, "the tracer, which knows the registers of amd64 alone")
}

// lockThread keeps the test on its thread, as tracing needs.
func lockThread(t *testing.T) {
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
}

// operationsHere says of every operation if this kernel cannot exchange directories.
func operationsHere(t *testing.T) []*Operation {
	table := operations()
	if !testenv.Has(t, "5.16") {
		for _, op := range table {
			op.NoExchange = true
		}
	}
	return table
}

func newBench(t *testing.T, table []*Operation) *Bench {
	t.Helper()
	b, err := NewBench(Env{Root: testenv.BPFFS(t), Cgroup: testenv.Cgroup(t), Seed: *seed}, objects, table, clearTree)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.helper.close() })
	return b
}

// groups puts operations together that see each other's links, those that attach the same programs; and some others, so that all take as long.
func groups(table []*Operation) (all [][]*Operation) {
	of := make(map[string][]*Operation)
	for _, op := range table {
		key := ""
		if len(op.Programs) > 0 {
			key = op.Programs[0]
		}
		of[key] = append(of[key], op)
	}
	for _, key := range slices.Sorted(maps.Keys(of)) {
		all = append(all, of[key])
	}
	return all
}

// summary collects counts of operations.
type summary struct {
	lock sync.Mutex
	of   map[string]Counts
}

func newSummary() *summary { return &summary{of: make(map[string]Counts)} }

func (s *summary) add(name string, c Counts) {
	s.lock.Lock()
	defer s.lock.Unlock()
	all := s.of[name]
	all.add(&c)
	s.of[name] = all
}

func (s *summary) print(t *testing.T, table []*Operation, took time.Duration) {
	if !*full && *sample == 0 && *duration == 0 {
		return
	}
	var all Counts
	for _, op := range table {
		c := s.of[op.Name]
		if c.Calls == 0 {
			continue // it was not its turn
		}
		fmt.Printf("%-40s %v\n", op.Name, &c)
		all.add(&c)
	}
	verdict := "none broke a guarantee"
	if t.Failed() {
		verdict = "some broke a guarantee, see above"
	}
	fmt.Printf("%-40s %v\n%d operations in %v (%d faults came to nothing): %s\n", "all", &all, len(s.of), took.Round(time.Second), all.Missed, verdict)
}
