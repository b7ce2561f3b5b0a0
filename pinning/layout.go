package pinning

import "github.com/pinion-bpf/pinion/internal/text"

// What bpffs and the record leave room for, in bytes.
const (
	maxComponent = 255                             // a file name: simple_statfs's f_namelen, NAME_MAX
	maxPath      = 4095                            // a path without its NUL: PATH_MAX, man 7 path_resolution
	maxTreeName  = maxComponent - len(stagePrefix) // a tree's directory
	maxPlace     = 3072                            // an override's path below the root, escaped: it fits in one line of the record
)

// stagePrefix and a tree's name are together the name of the directory in which the tree is built.
const stagePrefix = "%stage-"

// Other reserved names: the directory of the root that is the lock of what lies outside of trees; in a tree, what is yet to be moved to its place outside, and the
// generation before.
const (
	outsideLock  = "%stage"
	outsideDir   = "%outside"
	previousTree = "%previous"
)

// A Kind is the kind of thing that a pin keeps alive. The zero Kind is none of them.
type Kind uint8

// What bpffs can pin.
const (
	KindMap Kind = iota + 1
	KindProgram
	KindLink
)

// String returns "map", "program" or "link".
//
//go:noinline
func (k Kind) String() string {
	switch k {
	case KindMap:
		return "map"
	case KindProgram:
		return "program"
	case KindLink:
		return "link"
	}
	return text.Form("kind({})").Int(int(k)).String()
}

// Dir returns the directory of a tree that holds pins of this kind: "maps", "programs" or "links"; "" where k is none of the three.
//
//go:noinline
func (k Kind) Dir() string {
	if !k.valid() {
		return ""
	}
	return k.String() + "s"
}

func (k Kind) valid() bool { return k >= KindMap && k <= KindLink }

// A Thing is a map, program or link of one object, by name.
type Thing struct {
	Kind   Kind
	Name   string // the full name in the ELF; of a link, the name of its program
	Target string // of a link: what the program is attached to, where it has several links; else ""
}

// String returns the name people read: "map .rodata.cfg", "link ingress@eth0".
//
//go:noinline
func (t Thing) String() string {
	name := readable(t.Name)
	if t.Target != "" {
		name += "@" + readable(t.Target)
	}
	return t.Kind.String() + " " + name
}

// component returns the file name of the pin. What is wrong with t is a *[NameError].
//
//go:noinline
func (t Thing) component() (string, error) {
	switch {
	case !t.Kind.valid():
		return "", badName(t.String(), t.Name, "is no map, program or link: set its Kind")
	case t.Name == "":
		return "", badName(t.String(), t.Name, "is empty: give it a name")
	case t.Target != "" && t.Kind != KindLink:
		return "", badName(t.String(), t.Name, "has a target, as only links do")
	}
	name := escapePair(t.Name, t.Target)
	if len(name) > maxComponent {
		return "", badName(t.String(), name, tooLong(len(name), maxComponent)+
			", all that a file name may have: rename it, or do not pin it (Override.Skip)")
	}
	return name, nil
}

// place returns the default path of t below the root. It does not check t.
//
//go:noinline
func (t Thing) place(tree string) string {
	return tree + "/" + t.Kind.Dir() + "/" + escapePair(t.Name, t.Target)
}

// before orders maps, programs, links; then names; then targets.
//
//go:noinline
func (t *Thing) before(b *Thing) bool {
	if t.Kind != b.Kind {
		return t.Kind < b.Kind
	}
	if t.Name != b.Name {
		return t.Name < b.Name
	}
	return t.Target < b.Target
}

// A Pin is one thing of an object and the path that keeps it alive.
type Pin struct {
	Kind     Kind
	Name     string // the full name in the ELF; of a link, the name of its program
	Target   string // of a link: what the program is attached to, where it has several links; else ""
	Path     string // absolute
	Place    string // the same path below the root, without a slash in front
	Override bool   // the path is not the default one
}

// String returns the name people read: "map .rodata.cfg", "link ingress@eth0".
func (p Pin) String() string { return p.thing().String() }

// called is String without a copy of the pin.
//
//go:noinline
func (p *Pin) called() string { return p.thing().String() }

func (p *Pin) thing() Thing { return Thing{Kind: p.Kind, Name: p.Name, Target: p.Target} }
