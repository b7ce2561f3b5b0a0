package main

import (
	"flag"
	"fmt"
	"io"
	"slices"

	"github.com/hashicorp/go-multierror"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
	"github.com/pinion-bpf/pinion/sys"
)

// loadInfo is what became of one file, in the JSON of load.
type loadInfo struct {
	File   string    `json:"file"`
	Object string    `json:"object"`
	State  string    `json:"state"`
	Pins   []pinInfo `json:"pins"`
	Notes  []string  `json:"notes"`
}

// The states of a loadInfo.
const (
	stateLoaded = "loaded"         // and pinned
	statePinned = "already pinned" // from the same file and settings; nothing was loaded
	stateMended = "mended"         // the same, but something of it was gone
	stateTried  = "loaded and let go"
)

// A placing says where an object is to be pinned.
type placing struct {
	pinning.Options
	flat bool
}

// placeFlags defines the flags that say where an object is pinned.
func placeFlags(flags *flag.FlagSet) *placing {
	opts := new(placing)
	flags.StringVar(&opts.Name, "name", "", "`N` is the object's name, if not that of the file without .bpf.o, .o or .elf")
	flags.StringVar(&opts.Instance, "instance", "", "`I` tells several pinned copies of one object apart: an interface, a tenant")
	flags.BoolVar(&opts.flat, "flat", false, "pin each map that is to be pinned by name at ROOT/MAP, where libbpf looks for it")
	return opts
}

// waitFlag defines the flag that bounds the waiting for others.
func waitFlag(flags *flag.FlagSet, opts *pinning.Options) {
	flags.DurationVar(&opts.Wait, "wait", 0, "wait at most `DURATION`, as in 5s, for another process that changes the same object")
}

// of gives the options for one object.
func (p *placing) of(spec *object.Spec) *pinning.Options {
	opts := p.Options
	if p.flat {
		opts.Overrides = pinning.Flat(spec)
	}
	return &opts
}

// load loads files and pins each whole. One that fails does not stop the others.
func load(c *call) error {
	flags := c.flags()
	opts := placeFlags(flags)
	opts.NoUpgrade = true // replacing what runs takes a word of its own: upgrade
	attach := flags.Bool("attach", false, "attach the programs whose sections say where to")
	noPin := flags.Bool("no-pin", false, "load, say what was loaded, and let go of it")
	answers := answerFlags(flags)
	waitFlag(flags, &opts.Options)
	files, err := c.parse(flags, 1, anyNumber)
	if err != nil {
		return err
	}
	defer answers.close()
	if opts.Name != "" && len(files) > 1 {
		return wrongUsage("-name is for one file", c.command.name)
	}
	if *attach {
		opts.Attach = (*object.Object).Attach
	}
	how := tryOne
	if !*noPin {
		root, err := c.openRoot()
		if err != nil {
			return err
		}
		defer root.Close()
		how = func(spec *object.Spec, opts *pinning.Options) (loadInfo, error) { return pinOne(root, spec, opts) }
	}
	return c.loadAll(files, opts, func(spec *object.Spec, opts *pinning.Options) (loadInfo, error) {
		if err := answers.give(spec, opts); err != nil {
			return loadInfo{}, err
		}
		return how(spec, opts)
	})
}

// loadAll loads each file in the given way.
func (c *call) loadAll(files []string, opts *placing, how func(*object.Spec, *pinning.Options) (loadInfo, error)) error {
	loaded := []loadInfo{}
	var failures *multierror.Error
	for _, file := range files {
		spec, err := object.Open(file)
		var info loadInfo
		if err == nil {
			info, err = how(spec, opts.of(spec))
		}
		if err != nil {
			failures = multierror.Append(failures, err)
			continue
		}
		info.File, info.Notes = file, append(info.Notes, notes(spec)...)
		if opts.Attach != nil {
			info.Notes = append(info.Notes, unattached(spec, info.Pins)...)
		}
		loaded = append(loaded, info)
	}
	err := c.print(loaded, func(out io.Writer) {
		for _, info := range loaded {
			info.print(out)
		}
	})
	if err != nil {
		return err
	}
	return failures.ErrorOrNil()
}

// tryOne loads an object and lets go of it.
func tryOne(spec *object.Spec, opts *pinning.Options) (loadInfo, error) {
	obj, err := spec.Load(opts.Load)
	if err != nil {
		return loadInfo{}, err
	}
	defer obj.Close()
	if opts.Attach != nil {
		if err := opts.Attach(obj); err != nil {
			return loadInfo{}, err
		}
	}
	info := loadInfo{Object: spec.Name, State: stateTried, Pins: []pinInfo{}, Notes: withoutBTF(obj)}
	for _, m := range obj.Maps() {
		info.Pins = append(info.Pins, pinInfo{Kind: pinning.KindMap.String(), Name: m.Name(), ID: m.ID()})
	}
	for _, p := range obj.Programs() {
		info.Pins = append(info.Pins, pinInfo{Kind: pinning.KindProgram.String(), Name: p.Name(), ID: p.ID()})
	}
	for _, l := range obj.Links() {
		info.Pins = append(info.Pins, pinInfo{Kind: pinning.KindLink.String(), Name: l.Program(), Target: l.Target(), ID: l.ID()})
	}
	return info, nil
}

// pinOne loads an object and pins it, unless it is pinned already.
func pinOne(root *pinning.Root, spec *object.Spec, opts *pinning.Options) (loadInfo, error) {
	name := spec.Name
	if opts.Name != "" {
		name = opts.Name
	}
	tree, err := pinning.TreeName(name, opts.Instance)
	if err != nil {
		tree = "" // Ensure says what is wrong with it
	}
	w := watch(root, tree, spec, opts)
	obj, err := root.Ensure(spec, opts)
	if err != nil {
		return loadInfo{}, err
	}
	defer obj.Close()
	status, err := root.Status(tree)
	if err != nil {
		return loadInfo{}, err
	}
	info := loadInfo{Object: tree, State: w.state(), Pins: []pinInfo{}, Notes: withoutBTF(obj)}
	for _, p := range status.Pins {
		info.Pins = append(info.Pins, pinInfo{Kind: p.Kind.String(), Name: p.Name, Target: p.Target, ID: p.ID, Path: p.Path})
	}
	return info, nil
}

// A watcher sees what Ensure does: an object that comes back from its pins looks like one that was loaded. Whoever loads asks for each map that is not
// pinned. So only of an object without such maps, which another process pins at the same time, it may say "loaded" though that other process did it.
type watcher struct {
	there, asks, asked, mended bool
}

func watch(root *pinning.Root, tree string, spec *object.Spec, opts *pinning.Options) *watcher {
	w := new(watcher)
	if status, err := root.Status(tree); err == nil {
		w.there = status.Record.Complete
	}
	w.asks = len(spec.Maps) > len(pinning.Flat(spec))
	if opts.Load == nil {
		opts.Load = new(object.LoadOptions)
	}
	opts.Load.Maps = w
	opts.Upgrade = &pinning.UpgradeOptions{Did: func(plan *pinning.UpgradePlan) { w.mended = !plan.Same }}
	return w
}

// ExistingMap implements [object.MapSource].
func (w *watcher) ExistingMap(*object.MapSpec) (*object.Map, error) {
	w.asked = true
	return nil, nil
}

func (w *watcher) state() string {
	switch {
	case w.mended:
		return stateMended
	case w.asked, !w.there && !w.asks:
		return stateLoaded
	}
	return statePinned
}

// withoutBTF tells of an object whose BTF the kernel has refused.
func withoutBTF(obj *object.Object) []string {
	if err := obj.WithoutBTF(); err != nil {
		return []string{"the kernel refused the BTF of the file, so it was loaded without: " + reword(err.Error())}
	}
	return []string{}
}

// notes tells what the user should know beside.
func notes(spec *object.Spec) []string {
	notes := []string{}
	for _, m := range spec.Maps {
		if m.PinIgnored() {
			notes = append(notes, fmt.Sprintf("map %s asks for the kind of pinning %d, which means nothing: taken as 0", plain(m.Name), m.Pinning))
		}
	}
	for _, p := range spec.Programs {
		if p.Type == sys.ProgTypeUnspec {
			notes = append(notes, fmt.Sprintf("program %s is not loaded: the name of its section, %s, does not say of what type it is", plain(p.Name), plain(p.Section)))
		}
	}
	return notes
}

// unattached tells which programs of an object that was to be attached have no link.
func unattached(spec *object.Spec, pins []pinInfo) (notes []string) {
	for _, p := range spec.Programs {
		has := func(pin pinInfo) bool { return pin.Kind == pinning.KindLink.String() && pin.Name == p.Name }
		if p.Autoload && !slices.ContainsFunc(pins, has) {
			notes = append(notes, fmt.Sprintf("program %s is not attached: its section, %s, does not say where to", plain(p.Name), plain(p.Section)))
		}
	}
	return notes
}

func (i *loadInfo) print(out io.Writer) {
	fmt.Fprintf(out, "%s: object %s: %s\n", i.File, plain(i.Object), i.State)
	if i.State == stateTried {
		var table [][]string
		for _, p := range i.Pins {
			table = append(table, []string{p.Kind, p.label(), decimal(p.ID)})
		}
		rows(out, "  ", "KIND NAME ID", table)
	} else {
		printPins(out, "  ", i.Pins)
	}
	for _, note := range i.Notes {
		fmt.Fprintln(out, "  note: "+note)
	}
}
