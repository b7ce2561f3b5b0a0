package faults

import (
	"fmt"
	"slices"
)

// An Operation is something that a process does to one tree. States are named as in "counter 1", "pinned 1 maps", [Absent] and [Gap].
type Operation struct {
	Name     string
	Tree     string   // the directory below the root
	Programs []string // the kernel's names of those that it attaches. No other operation that runs at the same time may attach them

	// Prepare makes the state that the operation finds, in the process of the tests; nil where that is nothing.
	Prepare func(*Env) error
	Start   string // that state; "" for Absent

	// Do is the operation, in the child. It calls Env.Begin where faults are to begin, and leaves no descriptor open.
	Do  func(*Env) error
	End string // the state when it succeeded

	Failed     []string // states, beside Start, that an error may leave
	Died       []string // states, beside Start and End, that a death may leave
	NoExchange bool     // on a kernel without RENAME_EXCHANGE: a death may leave Gap as well

	// Next is done by a fresh process when the first one is dead, and must succeed.
	Next    func(*Env) error
	Settled string // the state after it

	Keeps []string         // places of maps, below the root, that are there throughout. They hold a number that may only grow
	Runs  func(*Env) error // makes sure that the object, when it is settled, really runs; may be nil
	May   []string         // what may stay outside the tree when the object is unpinned
}

// start gives the name of the state that the operation finds.
func (o *Operation) start() string {
	if o.Start == "" {
		return Absent
	}
	return o.Start
}

// mayLeave gives the states that there may be after an outcome.
func (o *Operation) mayLeave(outcome *Outcome, faults []Fault) []string {
	if !outcome.Killed && outcome.Error == "" {
		return []string{o.End}
	}
	states := append([]string{o.start()}, o.Failed...)
	// Where calls fail from some time on, undoing fails too. Then what is left is what a death leaves.
	rest := slices.ContainsFunc(faults, func(f Fault) bool { return f.Rest }) || len(faults) > 1
	if !outcome.Killed && !rest {
		return states
	}
	states = append(append(states, o.Died...), o.End)
	if o.NoExchange && o.start() != Absent && o.End != Absent {
		states = append(states, Gap)
	}
	return states
}

// Counts are of what was done to an operation.
type Counts struct {
	Calls    int // that it makes
	Errors   int // calls that were made to fail, one a run
	Survived int // of these, how often it succeeded all the same
	Kills    int
	Left     int // different remains that the next process was given
	Missed   int // calls that were not made in the run in which they were to fail: how often somebody looks is not always the same
}

func (c *Counts) add(more *Counts) {
	c.Calls += more.Calls
	c.Errors += more.Errors
	c.Survived += more.Survived
	c.Kills += more.Kills
	c.Left += more.Left
	c.Missed += more.Missed
}

func (c *Counts) String() string {
	return fmt.Sprintf("%4d calls, %5d failed (%d survived), %5d kills, %3d different remains", c.Calls, c.Errors, c.Survived, c.Kills, c.Left)
}

// cases gives a fault for each call and each errno that it can give, one for each kind of call that fails from then on, and the deaths.
func cases(calls []Call) (all []Fault) {
	for i := range calls {
		c := &calls[i]
		errnos := c.Errnos()
		for _, errno := range errnos {
			all = append(all, Fault{At: c.N, Errno: errno})
		}
		if len(errnos) > 0 {
			all = append(all, Fault{At: c.N, Errno: errnos[0], Rest: true})
		}
		all = append(all, Fault{At: c.N, Kill: Before})
		// After a call that changes nothing, the same is left as before the next one.
		if c.Changes() || i == len(calls)-1 {
			all = append(all, Fault{At: c.N, Kill: After})
		}
	}
	return all
}

// some gives about n of many, evenly spread. Those of another offset differ.
func some(all []Fault, n, offset int) []Fault {
	if n <= 0 || n >= len(all) {
		return all
	}
	var chosen []Fault
	for i := range n {
		chosen = append(chosen, all[(i*len(all)/n+offset)%len(all)])
	}
	return chosen
}
