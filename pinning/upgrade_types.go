//go:build linux

package pinning

import (
	"errors"

	"github.com/pinion-bpf/pinion/object"
)

// ErrNoPrevious: nothing was kept of the generation before, so there is none to go back to. See UpgradeOptions.KeepOld.
var ErrNoPrevious = errors.New("pinning: no previous generation")

// ErrUnattached: a link of the old generation has no successor: its kind can neither be switched to another program, nor does anything say how
// to attach the new one.
var ErrUnattached = errors.New("pinning: would be left unattached")

// UpgradeOptions say how one build of an object takes the place of another. A nil *UpgradeOptions is the default: maps must fit, and nothing is
// kept of what is replaced.
type UpgradeOptions struct {
	// Maps are the policies of single maps. Without one, a map that fits is kept with all that is in it, one that does not fit is refused.
	Maps []MapPolicy
	// KeepOld keeps the maps and programs of what is replaced, as its %previous, so that Rollback can go back to it. What was kept before is dropped.
	KeepOld bool
	// Did is called with what was done, once nothing can fail any more: before Upgrade, Rollback or Ensure return.
	Did func(*UpgradePlan)
}

// MapPolicy says what becomes of one map in an upgrade.
type MapPolicy struct {
	Name     string   // the full name in the ELF
	Size     SizeRule // how the numbers of entries are compared
	Recreate bool     // begins anew, though the old one may fit: what is in it is lost
	// Migrate makes a new map where the old one does not fit, and copies what is in it: see [Migrate]. nil refuses one that does not fit.
	Migrate *Migration
}

// A SizeRule says how the number of entries of a pinned map is compared with that of the spec.
type SizeRule uint8

// The rules for sizes.
const (
	SizeExact   SizeRule = iota // as many
	SizeAtLeast                 // as many or more
	SizeAny                     // any number
)

// Migration is how the entries of a map get into a new one. [Migrate] makes it.
type Migration struct {
	convert object.Converter
	copy    func(from, to *object.Map, convert object.Converter) (object.CopyCount, error) // first
	again   func(from, to *object.Map, convert object.Converter) (object.CopyCount, error) // before the links are switched
	missing func(from, to *object.Map, convert object.Converter) (object.CopyCount, error) // after the swap
	data    func(from, to *object.Map) (object.CopyCount, error)
}

// Action is what an upgrade does with a map, program or link.
type Action uint8

// The actions.
const (
	ActionKeep     Action = iota + 1 // map, link: carried over as it is
	ActionMigrate                    // map: made anew, and its entries copied
	ActionRecreate                   // map: made anew, and begins as the file says
	ActionNew                        // map, program: there was none of that name; program: or one of other instructions
	ActionSame                       // program: loaded anew, with the instructions that the old one has
	ActionSwitch                     // link: runs the new program, without a gap
	ActionAttach                     // link: attached anew; the old one, if there is one, is dropped
	ActionDrop                       // map, program, link: the new build has none
	ActionRefuse                     // map: does not fit, and no policy says what to do; link: nothing says how to attach it. The upgrade fails before it changes anything
)

// String gives one word: "keep", "migrate", and so on.
func (a Action) String() string {
	switch a {
	case ActionKeep:
		return "keep"
	case ActionMigrate:
		return "migrate"
	case ActionRecreate:
		return "recreate"
	case ActionNew:
		return "new"
	case ActionSame:
		return "same"
	case ActionSwitch:
		return "switch"
	case ActionAttach:
		return "attach"
	case ActionDrop:
		return "drop"
	case ActionRefuse:
		return "refuse"
	}
	return "unknown"
}

// Gap is what a link's hook sees while the one program takes the other's place. There is none at which no program runs: where the kernel can neither
// switch nor attach beside, the upgrade fails, and the old program runs on.
type Gap uint8

// The gaps.
const (
	GapNone   Gap = iota // at each moment exactly one of them runs
	GapDouble            // for a moment both run
)

// String gives "none" or "double".
func (g Gap) String() string {
	if g == GapDouble {
		return "double"
	}
	return "none"
}

// UpgradeStep is what an upgrade does with one thing.
type UpgradeStep struct {
	Kind   Kind
	Name   string
	Target string // of a link
	Action Action
	Gap    Gap                 // of a link
	Why    string              // in words; "" where the action says it all
	Fields []object.Difference // of a map that does not fit: field by field
	Copied object.CopyCount    // of a map that was migrated, when it is done
}

// Thing gives the name that people read: "map flows", "link count@eth0".
func (s *UpgradeStep) Thing() Thing { return Thing{Kind: s.Kind, Name: s.Name, Target: s.Target} }

// UpgradePlan says what an upgrade does, or did.
type UpgradePlan struct {
	Name     string        // of the tree
	From, To uint64        // generations; the same where nothing is to be done
	Same     bool          // this build is pinned already, whole: nothing is to be done
	Steps    []UpgradeStep // maps, programs, links; each by name
	Left     []string      // what could not be cleared after the swap, and is left to the next call: in words
}

// Refused gives the maps that do not fit, and for which no policy says what to do, and the links that nobody can attach anew.
func (p *UpgradePlan) Refused() []UpgradeStep {
	var refused []UpgradeStep
	for i := range p.Steps {
		if p.Steps[i].Action == ActionRefuse {
			refused = append(refused, p.Steps[i])
		}
	}
	return refused
}

// Recovered is what Recover did about one tree's staging.
type Recovered struct {
	Name string // of the tree
	Did  string // in words: "removed a tree that was being built", …; "" if there was nothing to do but to remove an empty directory
	Err  error  // why it is still there: ErrBusy of one that a living process holds, ErrForeign, …
}

// RecoverOptions change how Recover works.
type RecoverOptions struct {
	DryRun bool // say what would be done, and do nothing
}

// CollectOptions say what Collect takes for garbage. The zero value: objects that have links, none of which is attached any more.
type CollectOptions struct {
	DryRun   bool // say what would be removed, and why, and remove nothing
	Previous bool // also the generations that upgrades kept, of all objects
	// Match, if not nil, is asked for every object that is not garbage yet; it gives the reason to remove it, "" for none.
	Match func(*Status) string
}

// Collected is one object, or the generation before of one, that is garbage.
type Collected struct {
	Name     string // of the tree
	Previous bool   // only its %previous
	Why      string
	Err      error // why it could not be removed; nil if it was, or in a dry run
}

// Access says who may use what is pinned. It holds before anybody can see the tree. Upgrades without one keep the access of what they replace.
type Access struct {
	DirMode uint32 // of the tree's directories: permission bits; 0 for 0700
	PinMode uint32 // of the pins: permission bits; 0 for 0600
	UID     int    // owner of the pins; -1 for the process's own. Directories stay the process's: who owns one can swap what is in it
	GID     int    // group of pins and directories; -1 for the process's own
}
