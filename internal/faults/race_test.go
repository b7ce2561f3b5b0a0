package faults

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
)

// racers is how many processes race.
const racers = 8

// racing are the operations that only TestRaces does.
func racing() []*Operation {
	return []*Operation{{Name: "race", Do: race, Next: race}}
}

// contested are the trees that are raced for: two instances of one object with a link, and one with auto-pinned maps.
var contested = []struct{ file, instance, tree string }{{"raw_tp", "", "raw_tp"}, {"raw_tp", "two", "raw_tp@two"}, {"pinned", "", "pinned"}}

// dies tells whether the racer with that seed kills itself, before which step, and how long after that has begun.
func dies(seed uint64, steps int) (step int, after time.Duration, does bool) {
	random := rand.New(rand.NewPCG(seed, 2))
	return random.IntN(steps), time.Duration(random.IntN(5000)) * time.Microsecond, random.IntN(3) == 0
}

// race does random things in a random order, until something goes wrong that may not.
func race(e *Env) error {
	random := rand.New(rand.NewPCG(e.Seed, 3))
	step, after, does := dies(e.Seed, e.Steps)
	for i := range e.Steps {
		if does && i == step {
			time.AfterFunc(after, func() { unix.Kill(unix.Getpid(), unix.SIGKILL) })
		}
		c := contested[random.IntN(len(contested))]
		names := slices.Sorted(maps.Keys(moves))
		name := names[random.IntN(len(names))]
		wait := time.Duration(random.IntN(2)) * time.Minute
		err := on(c.file, nil, func(_ *Env, root *pinning.Root, spec *object.Spec, opts *pinning.Options) error {
			opts.Instance, opts.Wait = c.instance, wait
			return moves[name](root, spec, opts, c.tree)
		})(e)
		for _, may := range []error{pinning.ErrExist, pinning.ErrNotExist, pinning.ErrBusy} {
			if errors.Is(err, may) {
				err = nil
			}
		}
		if err != nil {
			return fmt.Errorf("%s %s, step %d of seed %d: %w", name, c.tree, i, e.Seed, err)
		}
	}
	if does {
		select {} // until the time is over
	}
	return nil
}

type move func(root *pinning.Root, spec *object.Spec, opts *pinning.Options, tree string) error

// moves are what a racer does. Some are more frequent than others, so that there is something to be raced for.
var moves = map[string]move{
	"ensure": ensureWhole, "ensure again": ensureWhole,
	"load and pin": func(root *pinning.Root, spec *object.Spec, opts *pinning.Options, _ string) error {
		obj, err := root.Load(spec, opts)
		if err != nil {
			return err
		}
		if err = opts.Attach(obj); err == nil {
			err = root.Pin(obj, opts)
		}
		return errors.Join(err, obj.Close())
	},
	"open": func(root *pinning.Root, spec *object.Spec, _ *pinning.Options, tree string) error {
		obj, err := root.Open(tree)
		return whole(spec, obj, err)
	},
	"status": func(root *pinning.Root, _ *object.Spec, _ *pinning.Options, tree string) error {
		s, err := root.Status(tree)
		if err == nil && s.Drifted() {
			err = fmt.Errorf("status tells of drift: %+v", *s)
		}
		return err
	},
	"list": func(root *pinning.Root, _ *object.Spec, _ *pinning.Options, _ string) error {
		_, err := root.List()
		return err
	},
	"unpin": func(root *pinning.Root, _ *object.Spec, opts *pinning.Options, tree string) error {
		return root.Unpin(tree, opts)
	},
}

func ensureWhole(root *pinning.Root, spec *object.Spec, opts *pinning.Options, _ string) error {
	obj, err := root.Ensure(spec, opts)
	return whole(spec, obj, err)
}

// whole wants all of an object or nothing of it. What Load has pinned has only maps.
func whole(spec *object.Spec, obj *object.Object, err error) error {
	if err != nil {
		return err
	}
	have := fmt.Sprint(len(obj.Maps()), len(obj.Programs()), len(obj.Links()))
	links := 0
	if spec.Name == "raw_tp" {
		links = 1
	}
	want := fmt.Sprint(len(spec.Maps), len(spec.Programs), links)
	if have != want && !(spec.Name == "pinned" && have == "2 0 0") {
		err = fmt.Errorf("it has %s maps, programs and links, want %s", have, want)
	}
	return errors.Join(err, obj.Close())
}

// TestRaces has many processes do random things to the same few trees, some of which die of it, and looks at what is there whenever all have stopped.
func TestRaces(t *testing.T) {
	testenv.Root(t)
	b := newBench(t, nil)
	lockThread(t)
	rounds, steps := 4, 25
	switch {
	case *full:
		rounds = 25
	case os.Getenv("PINION_VM") != "":
		rounds, steps = 2, 5
	}
	random := rand.New(rand.NewPCG(*seed, 4))
	done, deaths, begun := 0, 0, time.Now()
	children := make([]helper, racers)
	for round := 0; (round < rounds || time.Since(begun) < *duration/2) && !t.Failed(); round++ {
		deaths += raceOnce(t, b, children, steps, random)
		done += racers * steps
		b.settleAll(t, random)
	}
	for i := range children {
		children[i].close()
	}
	if *full || *sample > 0 || *duration > 0 {
		fmt.Printf("races: %d processes did %d operations on %d trees in %v, and %d were killed at one\n",
			racers, done, len(contested), time.Since(begun).Round(time.Second), deaths)
	}
}

// raceOnce lets every child do some steps, and gives how many died.
func raceOnce(t *testing.T, b *Bench, children []helper, steps int, random *rand.Rand) (deaths int) {
	t.Helper()
	seeds := make([]uint64, len(children))
	for i := range children {
		seeds[i] = random.Uint64()
		task := Task{Operation: "race", Env: b.Env}
		task.Seed, task.Steps = seeds[i], steps
		if err := children[i].tell(task); err != nil {
			t.Fatal(err)
		}
	}
	for i := range children {
		answer, err := children[i].child.answer()
		if err == nil {
			if err := answer.err(); err != nil {
				t.Errorf("racer %d: %v", i, err)
			}
			continue
		}
		status, complaint := children[i].close()
		if _, _, does := dies(seeds[i], steps); !does || !status.Signaled() || status.Signal() != unix.SIGKILL {
			t.Errorf("racer %d, seed %d, ended with %#x: %v\n%s", i, seeds[i], int(status), err, complaint)
		}
		deaths++
	}
	return deaths
}

// settleAll looks at what was left, and then has each tree made whole or removed.
func (b *Bench) settleAll(t *testing.T, random *rand.Rand) {
	t.Helper()
	b.wants(t, "when all racers have stopped", false)
	for _, c := range contested {
		settled := "absent"
		err := on(c.file, nil, func(_ *Env, root *pinning.Root, spec *object.Spec, opts *pinning.Options) error {
			opts.Instance = c.instance
			if random.IntN(2) == 0 {
				err := root.Unpin(c.tree, nil)
				if errors.Is(err, pinning.ErrNotExist) {
					return nil
				}
				return err
			}
			settled = c.file + " 1"
			return errors.Join(closed(root.Load(spec, opts)), closed(root.Ensure(spec, opts)))
		})(&b.Env)
		if err != nil {
			t.Errorf("settle %s: %v", c.tree, err)
		}
		v, err := Look(b.Root)
		if err != nil {
			t.Fatal(err)
		}
		if state := b.judge.state(v, c.tree); state != settled {
			t.Errorf("%s is %s when it is settled, want %s", c.tree, state, settled)
		}
	}
	b.wants(t, "when all is settled", true)
}

// wants judges everything, links in the kernel too.
func (b *Bench) wants(t *testing.T, when string, settled bool) {
	t.Helper()
	s := &Sweep{Bench: b, t: t, op: &Operation{Name: "race", Programs: []string{"count_calls"}}, seen: make(seenIDs)}
	v, wrong := s.look(when, settled)
	if len(wrong) > 0 {
		s.report(when, wrong, v)
	}
}
