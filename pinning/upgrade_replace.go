//go:build linux

package pinning

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// run puts the new object in the place of the old one. docs/protocol.md numbers the steps. A failure is undone by settling.
func (u *upgrade) run() (err error) {
	b, err := u.stage.newBuilder()
	if err != nil {
		return err
	}
	defer b.close()
	defer func() {
		if err != nil {
			err = join(err, u.undo(b))
		}
	}()
	if err := u.stageCode(b); err != nil {
		return err
	}
	if err := u.copyMaps(false); err != nil {
		return err
	}
	if err := u.switchLinks(); err != nil {
		return err
	}
	if err := u.attach(); err != nil {
		return err
	}
	if u.nothingMended() {
		u.plan.Same, u.plan.To = true, u.plan.From
		u.obj.SetPinned(object.Pinned{Name: u.stage.tree, Generation: u.plan.From})
		return clearTree(u.stage.dir, newTree)
	}
	record, err := u.finish(b)
	if err != nil {
		return err
	}
	if err := b.commit(true); err != nil {
		return err
	}
	u.after(record)
	return nil
}

// undo puts everything back. The new object is closed first: its new links would live on with it.
func (u *upgrade) undo(b *builder) error {
	b.close()
	if u.stage.torn {
		return nil // the next one to take the lock finishes the swap
	}
	err := u.obj.Close()
	_, settleErr := u.stage.settle()
	return join(err, settleErr)
}

// stageCode pins the new maps and programs in the new tree.
func (u *upgrade) stageCode(b *builder) error {
	things, err := u.stage.pinnables(u.obj, withoutLinks(u.pins), u.old)
	if err != nil {
		return err
	}
	return b.pinCode(things)
}

// copyMaps fills the maps that are migrated: first before the links are switched, twice, for what changed meanwhile; and once more after the swap, for what was added
// until the last link was switched.
func (u *upgrade) copyMaps(last bool) error {
	for i := range u.plan.Steps {
		step := &u.plan.Steps[i]
		if step.Kind != KindMap || step.Action != ActionMigrate {
			continue
		}
		m := u.policy(step.Name).Migrate
		count, err := m.run(u.spec.Map(step.Name).Data != nil, last, u.was.Map(step.Name), u.obj.Map(step.Name))
		addSweep(&step.Copied, &count)
		if err != nil {
			return err
		}
	}
	return nil
}

// switchLinks makes the links run the new programs, and gives the new object handles of them.
func (u *upgrade) switchLinks() error {
	for i := range u.plan.Steps {
		step := &u.plan.Steps[i]
		if step.Kind != KindLink || step.Action != ActionSwitch && step.Action != ActionKeep {
			continue
		}
		l := u.was.Link(step.Name, step.Target)
		if step.Action == ActionSwitch {
			err := l.Update(u.obj.Program(step.Name).FD(), u.was.Program(step.Name).FD())
			if errors.Is(err, link.ErrDefunct) {
				step.Action, step.Why = ActionDrop, "it is attached to nothing any more"
				continue
			}
			if err != nil {
				return fail("switch", step.Thing().String(), err, "")
			}
		}
		if err := u.carry(l); err != nil {
			return err
		}
	}
	return nil
}

// carry gives the new object a handle of an old link.
func (u *upgrade) carry(l *object.Link) error {
	fd, err := l.FD().Dup()
	if err != nil {
		return err
	}
	same, err := link.FromFD(fd)
	if err != nil {
		return err
	}
	u.obj.CarryLink(object.NewLink(l.Program(), l.Target(), same))
	return nil
}

// attach attaches what was not carried over, beside the old links.
func (u *upgrade) attach() error {
	if u.opts.Attach != nil {
		if err := u.opts.Attach(u.obj); err != nil {
			return fail("attach", u.stage.tree, err, "")
		}
		u.obj.ForgetClosed()
	}
	for i := range u.plan.Steps {
		step := &u.plan.Steps[i]
		if step.Kind != KindLink || step.Action == ActionDrop || u.obj.Link(step.Name, step.Target) != nil {
			continue
		}
		old := u.was.Link(step.Name, step.Target)
		if u.opts.Attach != nil || old == nil {
			step.Action, step.Gap, step.Why = ActionDrop, GapNone, "Options.Attach does not attach it"
			continue
		}
		if err := attachAgain(u.obj, old); err != nil {
			return err
		}
	}
	for _, l := range u.obj.Links() {
		if !u.plan.has(KindLink, l.Program(), l.Target()) {
			u.step(KindLink, l.Program(), l.Target(), ActionAttach)
		}
	}
	u.sortSteps()
	return u.checkLost()
}

// checkLost makes sure that each link that was lost is there again, unless Options.Attach decides what there is.
func (u *upgrade) checkLost() error {
	for _, t := range u.lost {
		if t.Kind == KindLink && u.obj.Program(t.Name) != nil && u.obj.Link(t.Name, t.Target) == nil && u.opts.Attach == nil {
			return because(ErrUnattached, t.String()+", which is attached to nothing any more", nil)
		}
	}
	return nil
}

func (p *UpgradePlan) has(kind Kind, name, target string) bool {
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Kind == kind && s.Name == name && s.Target == target && s.Action != ActionDrop {
			return true
		}
	}
	return false
}

// nothingMended tells whether an object of the same build, which seemed to lack something, is what it was: its Attach has nothing to attach.
func (u *upgrade) nothingMended() bool {
	if u.heads != u.old.record || len(u.lost) > 0 || u.old.gone || u.opts.Overrides != nil && !u.old.isAt(u.pins) {
		return false
	}
	return len(u.obj.Links()) == len(u.was.Links()) // each of which it has, as none is lost
}

// finish fills the new tree: what is kept of the old one, the record, what is outside, the links.
func (u *upgrade) finish(b *builder) (*Record, error) {
	pins, err := u.planPins(thingsOfObject(u.obj), arraysOfObject(u.obj))
	if err != nil {
		return nil, err
	}
	things, err := u.stage.pinnables(u.obj, pins, u.old)
	if err != nil {
		return nil, err
	}
	if err := u.keepOld(b); err != nil {
		return nil, err
	}
	record := recordOf(u.obj, u.stage.tree, true)
	record.Generation, record.ELF, record.Spec = u.plan.To, u.heads.ELF, u.heads.Spec
	access := u.opts.Access
	if access == nil {
		access = u.old.access()
	}
	return record, b.finish(record, things, access)
}

// after clears up once the new tree is in its place. What cannot be done is said in the plan.
func (u *upgrade) after(record *Record) {
	if err := u.copyMaps(true); err != nil {
		u.plan.Left = append(u.plan.Left, err.Error())
	}
	for _, l := range u.was.Links() { // or clearing up waits in vain for the end of those that cannot be detached
		l.Close()
	}
	if err := u.stage.done(u.obj, record); err != nil {
		u.plan.Left = append(u.plan.Left, err.Error())
	}
}

// shareCode gives an object handles of another one's maps and programs.
func (u *upgrade) shareCode(from, to *object.Object) error {
	for _, m := range from.Maps() {
		same, err := dupMap(m)
		if err != nil {
			return err
		}
		to.AddMap(same)
	}
	for _, p := range from.Programs() {
		fd, err := p.FD().Dup()
		if err != nil {
			return err
		}
		same, err := object.NewProgram(p.Name(), fd)
		if err != nil {
			return err
		}
		to.AddProgram(same)
	}
	return nil
}

func dupMap(m *object.Map) (*object.Map, error) {
	fd, err := m.FD().Dup()
	if err != nil {
		return nil, err
	}
	return object.NewMap(m.Name(), fd)
}

// byID opens what a pin is recorded to be by its id, ErrNotExist if the kernel has it no more.
func byID(p *RecordedPin) (*sys.FD, error) {
	attr := sys.GetFDByIDAttr{StartID: p.ID}
	var fd *sys.FD
	var err error
	switch p.Kind {
	case KindMap:
		fd, err = sys.MapGetFDByID(&attr)
	case KindProgram:
		fd, err = sys.ProgGetFDByID(&attr)
	default:
		fd, err = sys.LinkGetFDByID(&attr)
	}
	if err == unix.ENOENT {
		return nil, because(ErrNotExist, p.called(), err)
	}
	if err != nil {
		return nil, fail("look by its id for", p.called(), err, "needs CAP_SYS_ADMIN")
	}
	return fd, nil
}
