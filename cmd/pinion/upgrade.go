package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
)

// The fields of the JSON of upgrade and rollback.
type (
	upgradeInfo struct {
		Name  string       `json:"name"`
		State string       `json:"state"`
		From  uint64       `json:"from"`
		To    uint64       `json:"to"`
		Steps []changeInfo `json:"steps"`
		Left  []string     `json:"left"`
		Notes []string     `json:"notes"`
	}
	changeInfo struct {
		Kind    string       `json:"kind"`
		Name    string       `json:"name"`
		Target  string       `json:"target,omitempty"`
		Action  string       `json:"action"`
		Gap     string       `json:"gap,omitempty"`
		Why     string       `json:"why,omitempty"`
		Differs []differInfo `json:"differs,omitempty"`
		Copied  *copyInfo    `json:"copied,omitempty"`
	}
	differInfo struct {
		Field string `json:"field"`
		Want  string `json:"want"`
		Have  string `json:"have"`
	}
	copyInfo struct {
		Copied  uint64 `json:"entries"`
		Changed uint64 `json:"changed"`
		Added   uint64 `json:"added"`
		Dropped uint64 `json:"dropped"`
	}
)

// The states of an upgradeInfo; statePinned is one more.
const (
	statePlanned    = "planned"
	stateRefused    = "refused" // planned, and some map does not fit
	stateUpgraded   = "upgraded"
	stateRolledBack = "rolled back"
)

// upgrade replaces a pinned object with another build, or says what that would do.
func upgrade(c *call) error {
	flags, opts := c.flags(), &pinning.Options{Upgrade: new(pinning.UpgradeOptions)}
	onlyPlan := flags.Bool("plan", false, "say what would be done with each map, program and link, and change nothing")
	attach := flags.Bool("attach", false, "attach the programs whose sections say where to and that are not attached yet")
	keepOldFlag(flags, opts.Upgrade)
	flags.StringVar(&opts.Instance, "instance", "", "`I` is the instance, if NAME does not have it: pinion upgrade -instance eth0 flow FILE is flow@eth0")
	var maps policies
	flags.Func("map", "`POLICY` of one map, as in flows=migrate: recreate (begin anew), migrate (copy the entries into a new one, values extended by\n"+
		"zeros), at-least or any (of the entries that the one to be kept may have); several as in flows=any,migrate", maps.add)
	waitFlag(flags, opts)
	answers := answerFlags(flags)
	defer answers.close()
	args, err := c.parse(flags, 2, 2)
	if err != nil {
		return err
	}
	if err := c.nameObject(opts, args[0]); err != nil {
		return err
	}
	spec, err := object.Open(args[1])
	if err != nil {
		return err
	}
	if err := maps.check(c, spec, args[1]); err != nil {
		return err
	}
	if err := answers.give(spec, opts); err != nil {
		return err
	}
	opts.Upgrade.Maps = maps
	if *attach {
		opts.Attach = (*object.Object).Attach
	}
	root, err := c.openRoot()
	if err != nil {
		return err
	}
	defer root.Close()
	if *onlyPlan {
		return c.planUpgrade(root, spec, opts)
	}
	return c.upgrade(root, spec, opts)
}

// nameObject takes the name of a pinned object apart, as options have it. The instance may be in the name or in -instance, not in both.
func (c *call) nameObject(opts *pinning.Options, name string) error {
	tree, err := pinning.ResolveName(name)
	if err != nil {
		return err
	}
	given := opts.Instance
	if opts.Name, opts.Instance, err = pinning.ParseTreeName(tree); err != nil {
		return err
	}
	switch {
	case given == "":
	case opts.Instance != "":
		return wrongUsage("the instance is given twice, in "+quote(name)+" and with -instance", c.command.name)
	default:
		opts.Instance = given
	}
	return nil
}

// planUpgrade shows what would be done. A plan that is refused is shown whole, and is an error as well.
func (c *call) planUpgrade(root *pinning.Root, spec *object.Spec, opts *pinning.Options) error {
	plan, err := root.PlanUpgrade(spec, opts)
	if err != nil {
		return err
	}
	info := describeUpgrade(plan, statePlanned)
	var misfits []*object.MismatchError
	for _, step := range plan.Refused() {
		misfits = append(misfits, &object.MismatchError{Map: step.Name, Fields: step.Fields})
	}
	if len(misfits) > 0 {
		info.State = stateRefused
	}
	info.addNotes(spec, opts)
	err = c.print(info, info.print)
	if err == nil && len(misfits) > 0 {
		err = refuseMaps("plan the upgrade of "+root.Path()+"/"+plan.Name, misfits, spec)
	}
	return err
}

// upgrade does it, and shows what was done.
func (c *call) upgrade(root *pinning.Root, spec *object.Spec, opts *pinning.Options) error {
	var did *pinning.UpgradePlan
	opts.Upgrade.Did = func(plan *pinning.UpgradePlan) { did = plan }
	obj, err := root.Upgrade(spec, opts)
	if misfits := mismatches(err); len(misfits) > 0 {
		tree, _ := pinning.TreeName(opts.Name, opts.Instance) // which the library took
		return refuseMaps("upgrade "+root.Path()+"/"+tree, misfits, spec)
	}
	if err != nil {
		return err
	}
	return errors.Join(c.showUpgrade(did, stateUpgraded, spec, opts), obj.Close())
}

// showUpgrade shows what was done.
func (c *call) showUpgrade(did *pinning.UpgradePlan, state string, spec *object.Spec, opts *pinning.Options) error {
	if did == nil {
		return errors.New("it is done, but nothing says what: this is a mistake of Pinion's own")
	}
	info := describeUpgrade(did, state)
	info.addNotes(spec, opts)
	return c.print(info, info.print)
}

// describeUpgrade gives a plan as it is shown.
func describeUpgrade(plan *pinning.UpgradePlan, state string) *upgradeInfo {
	info := &upgradeInfo{
		Name: plan.Name, State: state, From: plan.From, To: plan.To, Steps: []changeInfo{}, Left: append([]string{}, plan.Left...), Notes: []string{},
	}
	if plan.Same {
		info.State = statePinned
	}
	for i := range plan.Steps {
		info.Steps = append(info.Steps, describeChange(&plan.Steps[i]))
	}
	return info
}

func describeChange(s *pinning.UpgradeStep) changeInfo {
	info := changeInfo{Kind: s.Kind.String(), Name: s.Name, Target: s.Target, Action: s.Action.String(), Why: reword(s.Why)}
	if s.Kind == pinning.KindLink && s.Action != pinning.ActionDrop {
		info.Gap = s.Gap.String()
	}
	for _, d := range s.Fields {
		info.Differs = append(info.Differs, differInfo{d.Field, d.Want, d.Have})
	}
	if s.Action == pinning.ActionMigrate {
		n := s.Copied
		info.Copied = &copyInfo{n.Copied, n.Changed, n.Added, n.Dropped}
	}
	return info
}

// addNotes tells of what load would note about the file.
func (i *upgradeInfo) addNotes(spec *object.Spec, opts *pinning.Options) {
	if spec == nil || i.State == statePinned {
		return
	}
	i.Notes = append(i.Notes, notes(spec)...)
	if opts.Attach == nil {
		return
	}
	var links []pinInfo
	for _, s := range i.Steps {
		if s.Action != pinning.ActionDrop.String() {
			links = append(links, pinInfo{Kind: s.Kind, Name: s.Name})
		}
	}
	i.Notes = append(i.Notes, unattached(spec, links)...)
}

// print shows what becomes of each thing, then in what maps differ, what was copied, and what is left to do.
func (i *upgradeInfo) print(out io.Writer) {
	fmt.Fprintf(out, "%s: %s\n", plain(i.Name), i.says())
	var table, differ [][]string
	for n := range i.Steps {
		s := &i.Steps[n]
		table = append(table, []string{s.Kind, s.label(), s.Action, plain(s.Gap), words(s.Why)})
		for _, d := range s.Differs {
			differ = append(differ, []string{plain(s.Name), words(d.Field), words(d.Want), words(d.Have)})
		}
	}
	rows(out, "  ", "KIND NAME ACTION GAP WHY", table)
	rows(out, "  ", "MAP FIELD WANTED PINNED", differ)
	for n := range i.Steps {
		if s := &i.Steps[n]; s.Copied != nil && i.State != statePlanned && i.State != stateRefused {
			fmt.Fprintf(out, "  %s %s: %s\n", s.Kind, s.label(), s.Copied)
		}
	}
	for _, left := range i.Left {
		fmt.Fprintln(out, "  left to the next command: "+words(left))
	}
	for _, note := range i.Notes {
		fmt.Fprintln(out, "  note: "+note)
	}
}

// says tells in words what state an object is in.
func (i *upgradeInfo) says() string {
	from := fmt.Sprintf("from generation %d to %d", i.From, i.To)
	switch i.State {
	case statePlanned:
		return "would be upgraded " + from
	case stateRefused:
		return "would not be upgraded " + from
	case statePinned:
		return fmt.Sprintf("already pinned from this file, as generation %d: nothing to do", i.From)
	}
	return i.State + " " + from
}

func (s *changeInfo) label() string { return (&pinInfo{Name: s.Name, Target: s.Target}).label() }

// String tells in words what was copied.
func (n *copyInfo) String() string {
	return fmt.Sprintf("%d entries copied, %d copied again since they changed, %d added since, %d left out", n.Copied, n.Changed, n.Added, n.Dropped)
}
