//go:build linux

package pinning

import (
	"errors"

	"github.com/pinion-bpf/pinion/internal/order"
	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// planMaps decides what becomes of each map.
func (u *upgrade) planMaps() error {
	for _, m := range u.spec.Maps {
		if err := u.planMap(m); err != nil {
			return err
		}
	}
	for _, m := range u.spec.Maps {
		u.planSlots(m)
	}
	for _, m := range u.was.Maps() {
		if u.spec.Map(m.Name()) == nil {
			u.step(KindMap, m.Name(), "", ActionDrop)
		}
	}
	u.sortSteps()
	return nil
}

func (u *upgrade) planMap(m *object.MapSpec) error {
	step := u.step(KindMap, m.Name, "", ActionKeep)
	have, policy := u.was.Map(m.Name), u.policy(m.Name)
	switch {
	case have == nil:
		step.Action = ActionNew
	case m.Type == sys.MapTypeProgArray:
		step.Action, step.Why = ActionRecreate, "generations never share a program array"
	case m.Data != nil && m.Freeze:
		step.Action, step.Why = ActionRecreate, "constants are those of the new build"
	case policy.Recreate:
		step.Action, step.Why = ActionRecreate, "as asked for"
	default:
		return u.planFit(step, policy, m, have)
	}
	return nil
}

// planFit decides about a map that there is, and that is kept if it fits.
func (u *upgrade) planFit(step *UpgradeStep, policy *MapPolicy, m *object.MapSpec, have *object.Map) error {
	err := u.fits(m, have)
	mismatch, misfit := err.(*object.MismatchError) // errors.As costs a binary 8 KB
	switch {
	case misfit:
		step.Fields = mismatch.Fields
	case err != nil:
		return err
	case m.Data != nil && have.Info().BTFValueTypeID == 0 && u.old.record.ELF != u.spec.ELFDigest():
		step.Fields = []object.Difference{{Field: "variables", Want: "the same", Have: "unknown, as the map has no BTF"}}
	default:
		return nil
	}
	step.Action, step.Why = ActionRefuse, "does not fit"
	if policy.Migrate != nil {
		step.Action = ActionMigrate
	}
	return nil
}

// planSlots makes a map of maps anew if the file puts something in it that is made anew: it would go on to hold the old one.
func (u *upgrade) planSlots(m *object.MapSpec) {
	step := u.plan.mapStep(m.Name)
	if step.Action != ActionKeep || m.Type == sys.MapTypeProgArray {
		return
	}
	for _, slot := range m.Slots {
		if inner := u.plan.mapStep(slot.Name); inner != nil && inner.Action != ActionKeep {
			step.Action, step.Why = ActionRecreate, text.Form("it holds {}, which is made anew").Quote(slot.Name).String()
			return
		}
	}
}

var noPolicy MapPolicy

func (u *upgrade) policy(name string) *MapPolicy {
	if up := u.opts.Upgrade; up != nil {
		for i := range up.Maps {
			if up.Maps[i].Name == name {
				return &up.Maps[i]
			}
		}
	}
	return &noPolicy
}

// fits is object.MapSpec.Compatible, with the policy for the number of entries.
func (u *upgrade) fits(m *object.MapSpec, have *object.Map) error {
	err := m.Compatible(have)
	mismatch, misfit := err.(*object.MismatchError)
	rule := u.policy(m.Name).Size
	if rule == SizeExact || rule == SizeAtLeast && have.MaxEntries() < m.MaxEntries || !misfit {
		return err
	}
	var rest []object.Difference
	for _, d := range mismatch.Fields {
		if d.Field != "max entries" {
			rest = append(rest, d)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	return &object.MismatchError{Map: mismatch.Map, Fields: rest}
}

// planCode says what becomes of programs and links. If nothing was loaded, names are all that is known of the new programs.
func (u *upgrade) planCode() error {
	for _, p := range u.spec.Programs {
		if !p.Autoload {
			continue
		}
		step := u.step(KindProgram, p.Name, "", ActionNew)
		if u.obj == nil {
			continue
		}
		if have := u.was.Program(p.Name); have != nil && have.Tag() == u.obj.Program(p.Name).Tag() {
			step.Action = ActionSame
		}
	}
	u.planDropped(func(name string) bool { p := u.spec.Program(name); return p != nil && p.Autoload })
	return u.planLinks()
}

func (u *upgrade) planDropped(stays func(program string) bool) {
	for _, p := range u.was.Programs() {
		if !stays(p.Name()) {
			u.step(KindProgram, p.Name(), "", ActionDrop)
		}
	}
}

// planLinks says what becomes of each link that there is, and which ones sections tell of.
func (u *upgrade) planLinks() error {
	for _, l := range u.was.Links() {
		step := u.step(KindLink, l.Program(), l.Target(), ActionDrop)
		if !u.willHave(l.Program()) {
			continue
		}
		can, why, err := u.canSwitch(l)
		if err != nil {
			return err
		}
		switch {
		case u.isSame(l.Program()):
			step.Action = ActionKeep
		case can:
			step.Action = ActionSwitch
		case u.opts.Attach == nil && !canAttachAgain(l):
			step.Action, step.Why = ActionRefuse, why+", and nothing says how to attach the new program"
		default:
			step.Action, step.Gap, step.Why = ActionAttach, GapDouble, why
		}
	}
	for i := range u.pins {
		if p := &u.pins[i]; p.Kind == KindLink && u.opts.Attach != nil && !u.wasAttached(p.Name) {
			u.step(KindLink, p.Name, p.Target, ActionAttach)
		}
	}
	u.sortSteps()
	return nil
}

func (u *upgrade) willHave(program string) bool {
	if u.obj != nil {
		return u.obj.Program(program) != nil
	}
	p := u.spec.Program(program)
	return p != nil && p.Autoload
}

// isSame tells whether the new object has the very program that the old one has.
func (u *upgrade) isSame(program string) bool {
	if u.obj == nil {
		return false
	}
	a, b := u.obj.Program(program), u.was.Program(program)
	return a != nil && b != nil && a.ID() == b.ID()
}

func (u *upgrade) wasAttached(program string) bool {
	for _, l := range u.was.Links() {
		if l.Program() == program {
			return true
		}
	}
	return false
}

// canSwitch tells whether a link can be made to run the new program, and if not, why. Both programs must be pinned where recovery looks for them: a link that a
// dead process left running a program that nothing leads to could not be switched back.
func (u *upgrade) canSwitch(l *object.Link) (bool, string, error) {
	if !l.CanUpdate() {
		return false, "links of kind " + l.Type().String() + " cannot be switched", nil
	}
	if u.was.Program(l.Program()) == nil || !u.isStaged(l.Program()) {
		return false, "its program is not pinned in the tree", nil
	}
	if u.spec == nil {
		return true, "", nil
	}
	info, err := l.Info()
	if err != nil {
		return false, "", err
	}
	if want := u.spec.Program(l.Program()).AttachType; info.AttachType != want && info.Type != sys.LinkTypeXDP {
		return false, text.Form("its program is now of attach type {}").Add(want.String()).String(), nil
	}
	return true, "", nil
}

// isStaged tells whether the pin of a new program lies in the new tree while links are switched: at its place, or waiting to be moved.
func (u *upgrade) isStaged(program string) bool {
	for i := range u.pins {
		if p := &u.pins[i]; p.Kind == KindProgram && p.Name == program {
			return !p.Override || u.old.pinAt(p.Place) != nil
		}
	}
	return false
}

// openOld opens what the old tree has. What is gone from its place, but not from the kernel, is found by its id: then it is proved to be what was pinned.
func (u *upgrade) openOld() error {
	if err := u.old.noForeign(); err != nil {
		return err
	}
	u.was = object.NewObject(u.old.record.Object, nil, nil, nil)
	for i := range u.old.record.Pins {
		p := &u.old.record.Pins[i]
		err := u.old.addTo(u.was, p)
		if errors.Is(err, ErrDrift) {
			err = u.findLost(p, err)
		}
		if err != nil {
			return err
		}
	}
	return u.checkOldLinks()
}

// findLost looks for what was pinned where nothing is any more.
func (u *upgrade) findLost(p *RecordedPin, drift error) error {
	if !u.old.isGone(p) {
		return drift
	}
	u.old.gone = true
	fd, err := byID(p)
	if err == nil {
		return addPin(u.was, p, fd)
	}
	if errors.Is(err, ErrNotExist) {
		u.lost = append(u.lost, p.thing())
		return nil
	}
	return join(drift, err)
}

// checkOldLinks takes out the links that are attached to nothing. One that runs another program than its own was switched by somebody else.
func (u *upgrade) checkOldLinks() error {
	for _, l := range u.was.Links() {
		runs, attached, err := l.State()
		if err != nil {
			return err
		}
		thing := Thing{Kind: KindLink, Name: l.Program(), Target: l.Target()}
		switch u.old.linkState(l.Program(), runs, attached) {
		case StateDetached:
			u.lost = append(u.lost, thing)
			l.Close()
		case StateSwapped:
			if u.stage.dry { // somebody may be at it right now
				continue
			}
			return because(ErrDrift, text.Form("{} runs program id {}, which somebody else made it run").Add(thing.String()).Uint(uint64(runs)).String(), nil)
		}
	}
	u.was.ForgetClosed()
	return nil
}

// sortSteps orders the steps: maps, programs, links; by name.
func (u *upgrade) sortSteps() {
	steps := u.plan.Steps
	order.Sort(len(steps),
		func(a, b int) bool { x, y := steps[a].Thing(), steps[b].Thing(); return x.before(&y) },
		func(a, b int) { steps[a], steps[b] = steps[b], steps[a] })
}

// canAttachAgain tells whether attachAgain can attach to what a link is attached to.
func canAttachAgain(l *object.Link) bool {
	return l.Type() == sys.LinkTypeRawTracepoint || l.Type() == sys.LinkTypeTracing
}

// attachAgain attaches a program to what an old link is attached to, as far as the kernel tells what that is.
func attachAgain(obj *object.Object, old *object.Link) error {
	info, err := old.Info()
	if err != nil {
		return err
	}
	var how link.Attacher
	switch info.Type {
	case sys.LinkTypeRawTracepoint:
		how = link.RawTracepoint{Name: info.Name}
	case sys.LinkTypeTracing:
		how = link.Tracing{AttachType: info.AttachType}
	default:
		return because(ErrUnattached, Thing{Kind: KindLink, Name: old.Program(), Target: old.Target()}.String(), nil)
	}
	_, err = obj.AttachTo(old.Program(), old.Target(), how)
	return err
}
