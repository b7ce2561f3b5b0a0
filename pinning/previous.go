//go:build linux

package pinning

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// keepOld keeps what is replaced, if that was asked for; and of an object that is only mended, the generation before, if there is one.
func (u *upgrade) keepOld(b *builder) error {
	if u.heads != u.old.record {
		if u.opts.Upgrade == nil || !u.opts.Upgrade.KeepOld {
			return nil
		}
		return b.keepPrevious(u.old.record, u.was)
	}
	previous, err := u.old.previous(u.stage.root)
	if errors.Is(err, ErrNoPrevious) {
		return nil
	}
	if err != nil {
		return err
	}
	defer previous.close()
	code, err := previous.code()
	if err != nil {
		return err
	}
	return join(b.keepPrevious(previous.record, code), code.Close())
}

// keepPrevious fills %previous of the new tree: the record, maps and programs. Links are not pinned there, as a pinned link is attached; the record has which there
// were. All of it lies in the tree, also what an override put outside.
func (b *builder) keepPrevious(old *Record, code *object.Object) error {
	dir, err := b.subdir(previousTree)
	if err != nil {
		return fail("make", previousTree, err, "")
	}
	record := *old
	record.Pins = append([]RecordedPin(nil), record.Pins...)
	for i := range record.Pins {
		p := &record.Pins[i]
		p.Path, p.Shared = "", false
		if err := b.keepPin(p, code); err != nil {
			return fail("keep", p.called(), err, "")
		}
	}
	return putRecord(dir, &record)
}

func (b *builder) keepPin(p *RecordedPin, code *object.Object) error {
	var fd *sys.FD
	switch p.Kind {
	case KindMap:
		if m := code.Map(p.Name); m != nil {
			fd = m.FD()
		}
	case KindProgram:
		if program := code.Program(p.Name); program != nil {
			fd = program.FD()
		}
	}
	if fd == nil {
		return nil
	}
	dir, err := b.subdir(previousTree + "/" + p.Kind.Dir())
	if err == nil {
		err = sys.PinAt(dir, escapePair(p.Name, ""), fd)
	}
	return err
}

// previous opens the generation before, ErrNoPrevious if none was kept.
func (t *tree) previous(r *Root) (*tree, error) {
	dir, err := sys.OpenDirAt(t.dir, previousTree)
	if err == unix.ENOENT {
		return nil, ErrNoPrevious
	}
	if err != nil {
		return nil, err
	}
	previous, err := r.treeIn(t.name, dir)
	if err != nil {
		dir.Close()
	}
	return previous, err
}

// Rollback goes back to the generation that an upgrade kept (UpgradeOptions.KeepOld): its maps and programs, which are loaded and verified still. It is an upgrade to
// those in all else, also in what it does on a failure: links are switched where the kernel can; others are attached by Options.Attach, or without it, if
// the kernel tells what to. With UpgradeOptions.KeepOld the generation that is left is kept in turn. The generation's number grows.
//
// Maps that both generations have in common stay as they are, and so with what the newer one wrote; what only the older one has is as it was left.
//
// The name is as [Root.List] gives it. It is [ErrNoPrevious] if nothing was kept, and [ErrUnattached] if a link that the older generation had cannot be made again. The object has no
// Spec, so Options.Attach must name what it attaches. Other errors are those of Upgrade.
func (r *Root) Rollback(name string, opts *Options) (*object.Object, error) {
	opts = opts.or()
	tree, err := ResolveName(name)
	if err != nil {
		return nil, err
	}
	s, err := r.lock(tree, opts.Wait)
	if err != nil {
		return nil, fail("roll back", r.path+tree, err, "")
	}
	defer s.release()
	u := &upgrade{stage: s, opts: opts}
	defer u.close()
	obj, err := u.result(u.rollback())
	if err != nil {
		return nil, fail("roll back", r.path+tree, err, adviseRollback(err))
	}
	return obj, nil
}

func adviseRollback(err error) string {
	switch {
	case errors.Is(err, ErrNoPrevious):
		return "upgrade with UpgradeOptions.KeepOld to have one"
	case errors.Is(err, ErrUnattached):
		return "say how to attach it with Options.Attach"
	}
	return adviseExist(err)
}

func (u *upgrade) rollback() (err error) {
	s := u.stage
	if u.old, err = s.root.openPlaced(s.tree); err != nil {
		return err
	}
	previous, err := u.old.previous(s.root)
	if err != nil {
		return err
	}
	defer previous.close()
	u.plan = &UpgradePlan{Name: s.tree, From: u.old.record.Generation, To: u.old.record.Generation + 1}
	if err := u.openOld(); err != nil {
		return err
	}
	u.heads = previous.record
	if u.obj, err = previous.code(); err != nil {
		return err
	}
	if err := u.planRollback(previous); err != nil {
		return err
	}
	if err := refusal(u.plan); err != nil {
		return err
	}
	return u.run()
}

// code makes an object of a tree's maps and programs.
func (t *tree) code() (*object.Object, error) {
	obj := object.NewObject(t.record.Object, nil, nil, nil)
	for i := range t.record.Pins {
		p := &t.record.Pins[i]
		if p.Kind == KindLink {
			continue
		}
		if err := t.addTo(obj, p); err != nil {
			return nil, join(err, obj.Close())
		}
	}
	return obj, nil
}

func (u *upgrade) planRollback(previous *tree) error {
	for _, m := range u.obj.Maps() {
		step := u.step(KindMap, m.Name(), "", ActionKeep)
		if now := u.was.Map(m.Name()); now == nil || now.ID() != m.ID() {
			step.Action, step.Why = ActionNew, "as the generation before left it"
		}
	}
	for _, m := range u.was.Maps() {
		if u.obj.Map(m.Name()) == nil {
			u.step(KindMap, m.Name(), "", ActionDrop)
		}
	}
	for _, p := range u.obj.Programs() {
		step := u.step(KindProgram, p.Name(), "", ActionNew)
		if now := u.was.Program(p.Name()); now != nil && now.Tag() == p.Tag() {
			step.Action = ActionSame
		}
	}
	u.planDropped(func(name string) bool { return u.obj.Program(name) != nil })
	all := thingsOfObject(u.obj)
	for i := range u.opts.Overrides {
		if t := u.opts.Overrides[i].thing(); t.Kind == KindLink && u.obj.Program(t.Name) != nil {
			all = append(all, t)
		}
	}
	var err error
	if u.pins, err = u.planPins(all, arraysOfObject(u.obj)); err != nil {
		return err
	}
	for i := range previous.record.Pins {
		if p := &previous.record.Pins[i]; p.Kind == KindLink && u.was.Link(p.Name, p.Target) == nil {
			u.lost = append(u.lost, p.thing())
		}
	}
	return u.planLinks()
}
