//go:build linux

package pinning

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// Plan gives every path that pinning the object would make: its maps, the programs that are loaded, and the links that
// [object.Object.Attach] makes. It touches nothing. Errors are those of the function [Plan], and [ErrConflict] for an override into another
// object's tree.
func (r *Root) Plan(spec *object.Spec, opts *Options) ([]Pin, error) {
	opts = opts.or()
	tree, err := opts.tree(spec.Name)
	if err != nil {
		return nil, err
	}
	return r.plan(tree, thingsOfSpec(spec, opts), opts, arraysOfSpec(spec))
}

// things is a list that grows out of line: it does so in many places.
type things []Thing

//go:noinline
func (all *things) add(kind Kind, name, target string) {
	*all = append(*all, Thing{Kind: kind, Name: name, Target: target})
}

func (all things) has(t Thing) bool {
	for i := range all {
		if all[i] == t {
			return true
		}
	}
	return false
}

// thingsOfSpec gives what the object will be when it is loaded and attached. A link that an override is for is one of them: which targets the
// caller will attach to, the spec cannot know.
func thingsOfSpec(spec *object.Spec, opts *Options) (all things) {
	for _, m := range spec.Maps {
		all.add(KindMap, m.Name, "")
	}
	for _, p := range spec.Programs {
		if p.Autoload {
			all.add(KindProgram, p.Name, "")
		}
		if p.Autoload && p.Autoattach {
			all.add(KindLink, p.Name, "")
		}
	}
	for i := range opts.Overrides {
		if t := opts.Overrides[i].thing(); t.Kind == KindLink && spec.Program(t.Name) != nil && !all.has(t) {
			all.add(KindLink, t.Name, t.Target)
		}
	}
	return all
}

func thingsOfObject(obj *object.Object) (all things) {
	for _, m := range obj.Maps() {
		all.add(KindMap, m.Name(), "")
	}
	for _, p := range obj.Programs() {
		all.add(KindProgram, p.Name(), "")
	}
	for _, l := range obj.Links() {
		all.add(KindLink, l.Program(), l.Target())
	}
	return all
}

// arraysOfSpec and arraysOfObject give the names of the program arrays.
func arraysOfSpec(spec *object.Spec) map[string]bool {
	arrays := make(map[string]bool)
	for _, m := range spec.Maps {
		arrays[m.Name] = m.Type == sys.MapTypeProgArray
	}
	return arrays
}

func arraysOfObject(obj *object.Object) map[string]bool {
	arrays := make(map[string]bool)
	for _, m := range obj.Maps() {
		arrays[m.Name()] = m.Type() == sys.MapTypeProgArray
	}
	return arrays
}

// plan is Plan, with what must be asked of the root and the things themselves.
func (r *Root) plan(tree string, all []Thing, opts *Options, arrays map[string]bool) ([]Pin, error) {
	for i := range opts.Overrides {
		o := &opts.Overrides[i]
		if o.Skip && o.Kind == KindMap && arrays[o.Name] {
			return nil, o.bad("is for a program array, which loses its programs with its last pin or descriptor: leave it pinned")
		}
	}
	pins, err := Plan(r.Path(), tree, all, opts.Overrides)
	if err != nil {
		return nil, err
	}
	for i := range pins {
		p := &pins[i]
		if !p.Override {
			continue
		}
		first, _, below := text.Cut(p.Place, '/')
		if first == tree {
			o := Override{Kind: p.Kind, Name: p.Name, Target: p.Target, Path: p.Place}
			return nil, o.bad("lies in the object's own directory, where all has its place already")
		}
		if !below {
			continue
		}
		if is, err := r.isTree(first); err != nil {
			return nil, fail("look at", r.path+first, err, "")
		} else if is {
			return nil, &ConflictError{Path: r.path + first, Inside: p.Path, First: "the pinned object " + first, Second: p.called()}
		}
	}
	return pins, nil
}

// isTree tells whether there is a directory, no symbolic link to one, with a record, whatever that says.
func (r *Root) isTree(name string) (bool, error) {
	var st unix.Stat_t
	err := unix.Fstatat(r.dir.Int(), name, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return false, nil
	}
	owner := st.Uid
	if err == nil {
		err = unix.Fstatat(r.dir.Int(), name+"/"+RecordName(0), &st, unix.AT_SYMLINK_NOFOLLOW)
		if err == unix.EACCES && int(owner) != unix.Geteuid() {
			return false, nil // another user's, and so none of ours
		}
	}
	if err == unix.ENOENT || err == unix.ENOTDIR {
		return false, nil
	}
	return err == nil, err
}
