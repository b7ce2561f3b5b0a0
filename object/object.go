package object

import (
	"errors"
)

// Object is an object in the kernel: handles on its maps, programs and links. [Spec.Load] makes one, and package pinning makes one of what
// is pinned. Closing it, or the end of the process, frees what nothing else keeps alive: its links are detached, its programs
// and maps freed, unless they are pinned.
//
// Several goroutines may use it at once, but nothing else while it is being attached or closed.
type Object struct {
	name     string
	spec     *Spec // nil if it was not loaded by this process
	maps     []*Map
	programs []*Program
	links    []*Link
	pinned   Pinned

	withoutBTF error
}

// Pinned tells where an object is pinned, and since when: package pinning sets it. The zero value is that of an object that is not.
type Pinned struct {
	Name       string // of the tree: "flow", "flow@eth0"
	Generation uint64 // grows with each upgrade
}

// NewObject makes an object of handles that exist, and owns them from then on.
func NewObject(name string, maps []*Map, programs []*Program, links []*Link) *Object {
	return &Object{name: name, maps: maps, programs: programs, links: links}
}

// Name is the object's name, "" if it has none.
func (o *Object) Name() string { return o.name }

// Spec is what the object was loaded from; nil if it came back from its pins, and nobody knows what from. See [Object.SetSpec].
func (o *Object) Spec() *Spec { return o.spec }

// WithoutBTF says why the kernel refused the BTF that the file has, so that the object was loaded without; nil if it did not, or if the object came back from its pins.
// Compilers have written BTF that no kernel takes: GCC 12 does. Tools then show neither types nor source lines.
func (o *Object) WithoutBTF() error { return o.withoutBTF }

// Maps are the object's maps, global data included. The slice is the object's: do not change it.
func (o *Object) Maps() []*Map { return o.maps }

// Programs are the object's programs that were loaded. The slice is the object's: do not change it.
func (o *Object) Programs() []*Program { return o.programs }

// Links are the object's attached programs. The slice is the object's: do not change it.
func (o *Object) Links() []*Link { return o.links }

// Map gives the map of that full name, nil if there is none.
//
//go:noinline
func (o *Object) Map(name string) *Map {
	for _, m := range o.maps {
		if m.name == name {
			return m
		}
	}
	return nil
}

// Program gives the program of that name (its C function's), nil if there is none or it was not loaded.
//
//go:noinline
func (o *Object) Program(name string) *Program {
	for _, p := range o.programs {
		if p.name == name {
			return p
		}
	}
	return nil
}

// Link gives the link of a program to a target, nil if there is none. The target is what [Object.AttachTo] was given, "" for a link
// that [Object.Attach] made.
//
//go:noinline
func (o *Object) Link(program, target string) *Link {
	for _, l := range o.links {
		if l.program == program && l.target == target {
			return l
		}
	}
	return nil
}

// AddMap gives the object a map to own.
func (o *Object) AddMap(m *Map) { o.maps = append(o.maps, m) }

// AddProgram gives the object a program to own.
func (o *Object) AddProgram(p *Program) { o.programs = append(o.programs, p) }

// AddLink gives the object a link to own.
//
//go:noinline
func (o *Object) AddLink(l *Link) { o.links = append(o.links, l) }

// CarryLink gives the object a link that a former build of it has made, and that runs one of its programs by now. [Object.AttachTo] and
// [Object.Attach] then give this link where they would make one: they attach nothing twice.
func (o *Object) CarryLink(l *Link) {
	l.carried = true
	o.AddLink(l)
}

// Pinned tells where the object is pinned.
func (o *Object) Pinned() Pinned { return o.pinned }

// SetPinned is for who pins objects.
func (o *Object) SetPinned(p Pinned) { o.pinned = p }

// SetSpec says what an object that came back from its pins was loaded from, so that [Object.Attach] can attach what is not.
func (o *Object) SetSpec(s *Spec) { o.spec = s }

// Close closes every handle. Closing once more does nothing.
func (o *Object) Close() error {
	var err error
	for _, l := range o.links {
		err = join(err, l.Close())
	}
	for _, p := range o.programs {
		err = join(err, p.Close())
	}
	for _, m := range o.maps {
		err = join(err, m.Close())
	}
	return err
}

// join is errors.Join of two, out of line.
//
//go:noinline
func join(err, also error) error {
	if also == nil {
		return err
	}
	return errors.Join(err, also)
}
