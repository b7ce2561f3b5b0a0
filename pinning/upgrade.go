//go:build linux

package pinning

import (
	"errors"

	"github.com/pinion-bpf/pinion/object"
)

// Upgrade replaces a pinned object with another build of it, and gives the new one. Its maps are carried over where they fit, see [UpgradeOptions]; its links
// run the new programs without a moment in between where the kernel can switch them, else new ones are attached before the old ones are dropped. Until
// the new tree is in its place, which is one step, any failure puts every link back, and the old object runs on, whole.
//
// Links are carried over by program and target. Those of kinds that cannot be switched are attached again by Options.Attach, or without it, if the kernel tells
// what to: raw tracepoints and tracing; else it is [ErrUnattached]. With Options.Attach, such a link that it does not attach is dropped, and one
// that it closes is.
//
// The same build again changes nothing (UpgradePlan.Same). Without Options.Overrides everything stays where it is. It is [ErrNotExist] if nothing is pinned;
// [object.ErrMismatch] with what differs, field by field, if a map does not fit; [ErrDrift] or [ErrForeign] if the object is not what its record says, see Ensure.
// Other errors are those of [Root.Load], [Root.Pin] and Options.Attach.
//
// Linux before 5.16 cannot exchange two directories: there the tree is missing from its place for a moment, in which this package's readers find the new one.
func (r *Root) Upgrade(spec *object.Spec, opts *Options) (*object.Object, error) {
	opts = opts.or()
	tree, pins, err := r.planOfSpec(spec, opts)
	if err != nil {
		return nil, err
	}
	s, err := r.lock(tree, opts.Wait)
	if err != nil {
		return nil, fail("upgrade", r.path+tree, err, "")
	}
	defer s.release()
	obj, err := s.upgrade(spec, opts, pins)
	if err != nil {
		return nil, fail("upgrade", r.path+tree, err, adviseUpgrade(err))
	}
	return obj, nil
}

func adviseUpgrade(err error) string {
	switch {
	case errors.Is(err, ErrNotExist):
		return "pin it first: Root.Ensure"
	case errors.Is(err, object.ErrMismatch):
		return "nothing is changed; say what becomes of the map with Options.Upgrade.Maps"
	case errors.Is(err, ErrUnattached):
		return "say how to attach it with Options.Attach"
	}
	return adviseExist(err)
}

// PlanUpgrade says what Upgrade would do. It loads the new build with the maps that are pinned, so that the verifier has its say, and lets go of it again: nothing
// is pinned, attached or copied, and no lock is taken. If maps are refused ([UpgradePlan.Refused]), nothing is loaded either, and that is no error. What Options.Attach
// attaches is not known before it does: the plan has the links that are there, and those that sections tell of.
func (r *Root) PlanUpgrade(spec *object.Spec, opts *Options) (*UpgradePlan, error) {
	opts = opts.or()
	tree, pins, err := r.planOfSpec(spec, opts)
	if err != nil {
		return nil, err
	}
	u := &upgrade{stage: &stage{root: r, tree: tree, dry: true}, spec: spec, opts: opts, pins: pins}
	defer u.close()
	err = u.prepare()
	if u.obj != nil {
		err = join(err, u.obj.Close())
	}
	if err != nil {
		return nil, fail("plan the upgrade of", r.path+tree, err, adviseUpgrade(err))
	}
	return u.plan, nil
}

// upgrade is one replacement of an object.
type upgrade struct {
	stage *stage
	spec  *object.Spec // of the new build; nil for a rollback
	opts  *Options
	pins  []Pin // as planned from the spec
	old   *tree
	was   *object.Object // what old has: its links are those that are attached
	lost  []Thing        // what old records, and the kernel has no more: pins that are gone, links that are attached to nothing
	obj   *object.Object // the new one; nil while it is not loaded
	plan  *UpgradePlan
	heads *Record // of the new tree: what it was loaded from
}

// upgrade replaces what is in its place. The caller holds the lock.
func (s *stage) upgrade(spec *object.Spec, opts *Options, pins []Pin) (*object.Object, error) {
	u := &upgrade{stage: s, spec: spec, opts: opts, pins: pins}
	defer u.close()
	err := u.prepare()
	if err == nil {
		err = refusal(u.plan)
	}
	if err == nil && !u.plan.Same {
		err = u.run()
	}
	return u.result(err)
}

// result gives the new object, or closes it if something failed.
func (u *upgrade) result(err error) (*object.Object, error) {
	if err != nil {
		if u.obj != nil {
			err = join(err, u.obj.Close())
		}
		return nil, err
	}
	u.did()
	return u.obj, nil
}

func (u *upgrade) did() {
	if u.opts.Upgrade != nil && u.opts.Upgrade.Did != nil {
		u.opts.Upgrade.Did(u.plan)
	}
}

// close lets go of the old object's handles.
func (u *upgrade) close() {
	if u.was != nil {
		u.was.Close()
	}
	u.old.close()
}

// refusal is the error of maps that do not fit, and of links that nothing can be done about.
func refusal(plan *UpgradePlan) error {
	var err error
	for i := range plan.Steps {
		s := &plan.Steps[i]
		switch {
		case s.Action != ActionRefuse:
		case s.Kind == KindMap:
			err = join(err, &object.MismatchError{Map: s.Name, Fields: s.Fields})
		default:
			err = join(err, because(ErrUnattached, s.Thing().String()+": "+s.Why, nil))
		}
	}
	return err
}

// prepare looks at what there is, decides about the maps, and loads the new build.
func (u *upgrade) prepare() (err error) {
	s := u.stage
	if u.old, err = s.root.openTree(s.tree); err != nil {
		return err
	}
	if !u.old.record.Complete {
		return because(ErrNotExist, "there are only auto-pinned maps", nil)
	}
	u.plan = &UpgradePlan{Name: s.tree, From: u.old.record.Generation, To: u.old.record.Generation + 1}
	if err := u.openOld(); err != nil {
		return err
	}
	if u.opts.Overrides == nil {
		all := thingsOfSpec(u.spec, u.opts)
		for i := range u.old.record.Pins {
			if t := u.old.record.Pins[i].thing(); t.Kind == KindLink && u.spec.Program(t.Name) != nil && !all.has(t) {
				all.add(t.Kind, t.Name, t.Target)
			}
		}
		if u.pins, err = u.planPins(all, arraysOfSpec(u.spec)); err != nil {
			return err
		}
	}
	if u.isOfFile() && u.old.record.Spec == u.spec.Digest() && u.wholeCode() {
		return u.sameBuild()
	}
	if err := u.planMaps(); err != nil {
		return err
	}
	if len(u.plan.Refused()) == 0 {
		if err := u.load(); err != nil {
			return err
		}
	}
	return u.planCode()
}

// planPins plans where things go: without overrides of the caller's, to where they are now.
func (u *upgrade) planPins(all things, arrays map[string]bool) ([]Pin, error) {
	opts := *u.opts
	if opts.Overrides == nil {
		for i := range u.old.record.Pins {
			if p := &u.old.record.Pins[i]; p.Path != "" && all.has(p.thing()) {
				opts.Overrides = append(opts.Overrides, Override{Kind: p.Kind, Name: p.Name, Target: p.Target, Path: p.Path})
			}
		}
		for i := range all {
			// Of another build, nobody knows whether what it has more is to be left unpinned.
			if t := &all[i]; t.Kind != KindLink && u.isOfFile() && u.old.pin(*t) == nil {
				opts.Overrides = append(opts.Overrides, Override{Kind: t.Kind, Name: t.Name, Skip: true})
			}
		}
	}
	return u.stage.root.plan(u.stage.tree, all, &opts, arrays)
}

// isOfFile tells whether the old object was loaded from the same file.
func (u *upgrade) isOfFile() bool { return u.spec != nil && u.old.record.ELF == u.spec.ELFDigest() }

// wholeCode tells whether there is a handle of each map and program that is to be pinned, so that nothing must be loaded.
func (u *upgrade) wholeCode() bool {
	for i := range u.pins {
		switch p := &u.pins[i]; p.Kind {
		case KindMap:
			if u.was.Map(p.Name) == nil {
				return false
			}
		case KindProgram:
			if u.was.Program(p.Name) == nil {
				return false
			}
		}
	}
	return true
}

// sameBuild is for an object that is from this very build. What is lacking, links or pins, is mended with the maps and programs that there are.
func (u *upgrade) sameBuild() error {
	u.obj = object.NewObject(u.spec.Name, nil, nil, nil)
	u.obj.SetSpec(u.spec)
	u.heads = u.old.record
	if err := u.shareCode(u.was, u.obj); err != nil {
		return err
	}
	u.plan.Same = len(u.lost) == 0 && !u.old.gone && (u.opts.Overrides == nil || u.old.isAt(u.pins)) &&
		(u.opts.Attach == nil || countLinks(u.pins) == 0 || len(u.was.Links()) > 0)
	if u.plan.Same {
		u.plan.To = u.plan.From
		u.obj.SetPinned(object.Pinned{Name: u.stage.tree, Generation: u.plan.From})
		for _, l := range u.was.Links() {
			if err := u.carry(l); err != nil {
				return err
			}
		}
		return nil
	}
	for _, m := range u.obj.Maps() {
		u.step(KindMap, m.Name(), "", ActionKeep)
	}
	for _, p := range u.obj.Programs() {
		u.step(KindProgram, p.Name(), "", ActionSame)
	}
	return u.planLinks()
}

//go:noinline
func (u *upgrade) step(kind Kind, name, target string, action Action) *UpgradeStep {
	u.plan.Steps = append(u.plan.Steps, UpgradeStep{Kind: kind, Name: name, Target: target, Action: action})
	return &u.plan.Steps[len(u.plan.Steps)-1]
}

// load loads the new build with the maps that are kept.
func (u *upgrade) load() (err error) {
	var load object.LoadOptions
	if u.opts.Load != nil {
		load = *u.opts.Load
	}
	if hasOverride(u.pins) && !u.stage.dry {
		if err := u.stage.lockOutside(); err != nil {
			return err
		}
	}
	load.Maps = &keptMaps{u.plan, u.was, pinnedMaps{root: u.stage.root, pins: u.pins, next: load.Maps}}
	load.Fits = u.fits
	u.heads = &Record{ELF: u.spec.ELFDigest(), Spec: u.spec.Digest()}
	u.obj, err = u.spec.Load(&load)
	return err
}

// keptMaps is the source of existing maps for an upgrade. It holds no more than it needs: the linker keeps the methods of all types that an interface leads to.
type keptMaps struct {
	plan *UpgradePlan
	was  *object.Object
	rest pinnedMaps
}

// ExistingMap implements [object.MapSource].
func (s *keptMaps) ExistingMap(m *object.MapSpec) (*object.Map, error) {
	step := s.plan.mapStep(m.Name)
	switch {
	case step == nil || step.Action == ActionNew:
		return s.rest.ExistingMap(m)
	case step.Action != ActionKeep:
		return nil, nil
	}
	return dupMap(s.was.Map(m.Name))
}

func (p *UpgradePlan) mapStep(name string) *UpgradeStep {
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Kind == KindMap && s.Name == name {
			return s
		}
	}
	return nil
}
