package pinning

import (
	"errors"
	"strings"

	"github.com/pinion-bpf/pinion/internal/order"
	"github.com/pinion-bpf/pinion/internal/text"
)

// ErrOverride is in every [NameError] about an [Override].
var ErrOverride = errors.New("pinning: unusable override")

// An Override gives one thing of an object another path than the default one, or leaves it unpinned.
type Override struct {
	Kind   Kind
	Name   string // the full name in the ELF; of a link, the name of its program
	Target string // of a link: its target, if it has one
	// Path is absolute and below the root, or relative to the root. It is a path on bpffs as it stands: nothing in it is escaped or resolved. So
	// it has no component that is empty, ".", "..", holds a dot (bpffs refuses those: write %2E) or is a name that Pinion reserves.
	// The directories it names are made as needed; symbolic links among them are not followed.
	Path string
	Skip bool // do not pin it; Path must be empty
}

func (o *Override) thing() Thing { return Thing{Kind: o.Kind, Name: o.Name, Target: o.Target} }

//go:noinline
func (o *Override) bad(what string) error {
	return &NameError{Err: ErrOverride, Thing: "override of " + o.thing().String(), Name: o.Path, What: what}
}

// Plan returns every pin of an object: maps, programs, links, each sorted by name and target. The root is the absolute path of a directory on
// bpffs, the tree is from [TreeName] or [ResolveName]. The order of things and overrides does not matter, and nothing but the arguments does.
//
// Errors are a *[NameError] (errors.Is: [ErrName] for root, tree or a thing; [ErrOverride] for an override that is of no use, or of a
// thing that the object does not have) and a *[ConflictError] (errors.Is: [ErrConflict]) where two claims meet, the tree's own directories
// included. What other objects claim, Plan cannot know: that shows when the pin is made.
func Plan(root, tree string, things []Thing, overrides []Override) ([]Pin, error) {
	root, err := cleanRoot(root)
	if err != nil {
		return nil, err
	}
	if _, _, err := ParseTreeName(tree); err != nil {
		return nil, err
	}
	sorted := order.Indices(len(things), func(a, b int) bool { return things[a].before(&things[b]) })
	chosen, err := checkOverrides(things, sorted, overrides)
	if err != nil {
		return nil, err
	}
	pins := make([]Pin, 0, len(things))
	var claimed claims
	for _, i := range sorted {
		o := chosen[i]
		if o != nil && o.Skip {
			continue
		}
		pins = append(pins, Pin{})
		p := &pins[len(pins)-1]
		err := p.plan(root, tree, &things[i])
		if err == nil && o != nil {
			err = o.apply(root, p)
		}
		if err != nil {
			return nil, err
		}
		claimed.add(p.Place, p.called(), true)
	}
	if err := findConflict(root, tree, claimed); err != nil {
		return nil, err
	}
	return pins, nil
}

// plan makes p the pin of t in its default place. The root ends in a slash.
func (p *Pin) plan(root, tree string, t *Thing) error {
	if _, err := t.component(); err != nil {
		return err
	}
	place := t.place(tree)
	if length := len(root) + len(place); length > maxPath {
		return badName("path of "+t.String(), root+place, tooLong(length, maxPath)+": use a root with a shorter path")
	}
	p.Kind, p.Name, p.Target, p.Path, p.Place = t.Kind, t.Name, t.Target, root+place, place
	return nil
}

// apply moves p where o says.
func (o *Override) apply(root string, p *Pin) error {
	place := o.Path
	if strings.HasPrefix(place, "/") {
		below, ok := text.CutPrefix(place, root)
		if !ok {
			return o.bad(text.Form("is not below the root {}").Quote(root).String())
		}
		place = below
	}
	if what := faultOfPlace(place); what != "" {
		return o.bad(what)
	}
	if len(root)+len(place) > maxPath {
		return o.bad("below the root " + tooLong(len(root)+len(place), maxPath))
	}
	p.Override = place != p.Place
	p.Path, p.Place = root+place, place
	return nil
}

// checkOverrides returns the overrides by the index of the thing they are for, nil for those that have none. Each must be for one of things, and
// alone. The things are sorted by their indices; the overrides are looked at in an order of their own, so that the error does not depend on theirs.
func checkOverrides(things []Thing, sorted []int32, overrides []Override) ([]*Override, error) {
	chosen := make([]*Override, len(things))
	of := make([]Thing, len(overrides))
	for i := range of {
		of[i] = overrides[i].thing()
	}
	byThing := order.Indices(len(of), func(a, b int) bool {
		return of[a].before(&of[b]) || !of[b].before(&of[a]) && overrides[a].Path < overrides[b].Path
	})
	for _, i := range byThing {
		o, t := &overrides[i], &of[i]
		k := order.First(len(sorted), func(k int) bool { return !things[sorted[k]].before(t) })
		what := ""
		switch {
		case k == len(sorted) || t.before(&things[sorted[k]]):
			what = text.Form("is for a {} that the object does not have").Add(t.Kind.String()).String()
		case chosen[sorted[k]] != nil:
			what = "is the second override for it, after " + text.Quote(chosen[sorted[k]].Path)
		case o.Skip && o.Path != "":
			what = "comes with Skip: set one of them only"
		case !o.Skip && o.Path == "":
			what = "says nothing: set Path or Skip"
		}
		if what != "" {
			return nil, o.bad(what)
		}
		chosen[sorted[k]] = o
	}
	return chosen, nil
}

// faultOfPlace says what keeps a path below the root from being an override; "" if nothing does.
func faultOfPlace(place string) string {
	length := 0
	for rest, more := place, true; more; {
		var c string
		c, rest, more = text.Cut(rest, '/')
		if what := faultOfComponent(c); what != "" {
			return what
		}
		length += len(Escape(c)) + 1
	}
	if length--; length > maxPlace {
		return "below the root and escaped " + tooLong(length, maxPlace) + ", all that the record has room for"
	}
	return ""
}

func faultOfComponent(c string) string {
	switch {
	case c == "":
		return "has an empty component: write one '/' between names and none at the end"
	case c == "." || c == "..":
		return text.Form("has the component {}, which Pinion does not follow: write the path without it").Quote(c).String()
	case text.Has(c, '.'):
		return text.Form("has a dot in {}, which bpffs refuses: write {}").Quote(c).Quote(withoutDots(c)).String()
	case text.Has(c, '\x00'):
		return text.Form("has a NUL in {}, which no path can have").Quote(c).String()
	case IsReserved(c):
		return text.Form("has the component {}, a name that Pinion reserves").Quote(c).String()
	case len(c) > maxComponent:
		return "has a component that " + tooLong(len(c), maxComponent) + ", all that a file name may have"
	}
	return ""
}

// withoutDots writes dots as [Escape] does.
func withoutDots(c string) string {
	name := ""
	for {
		before, after, found := text.Cut(c, '.')
		if name += before; !found {
			return name
		}
		name, c = name+"%2E", after
	}
}

// cleanRoot returns an absolute path without empty and "." components, and with a slash at its end. "..", which means what the directory before it
// means, is refused: a path without looking at the file system cannot tell.
func cleanRoot(root string) (string, error) {
	if !strings.HasPrefix(root, "/") {
		return "", badName("root", root, "is no absolute path")
	}
	if len(root) > maxPath {
		return "", badName("root", root, tooLong(len(root), maxPath))
	}
	if i := strings.IndexByte(root, 0); i >= 0 {
		return "", badName("root", root, text.Form("has a NUL at byte {}, which no path can have").Int(i).String())
	}
	clean := "/"
	for rest := root; rest != ""; {
		var c string
		c, rest, _ = text.Cut(rest, '/')
		switch c {
		case "", ".":
		case "..":
			return "", badName("root", root, `has the component "..": write the path without it`)
		default:
			clean += c + "/"
		}
	}
	return clean, nil
}
