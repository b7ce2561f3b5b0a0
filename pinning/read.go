//go:build linux

package pinning

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/object"
)

// OpenReadOnly gives the maps and programs of a pinned object, the maps for reading alone (BPF_F_RDONLY): for the process of another user, whom the object's
// [Access] lets in. Programs can be told of, but not attached, without the capabilities for it. Links are not opened, since the kernel opens them for changing
// only. On a kernel before 5.19 that keeps bpf(2) to the privileged (kernel.unprivileged_bpf_disabled) it takes CAP_BPF.
//
// The tree's directory must be root's or the caller's own: who owns a directory can swap what is in it. Errors are those of [Root.Open]; EACCES if the object
// may not be read.
func (r *Root) OpenReadOnly(name string) (*object.Object, error) {
	tree, err := ResolveName(name)
	if err != nil {
		return nil, err
	}
	for {
		t, err := r.openTree(tree)
		if err != nil {
			return nil, fail("open", r.path+tree, err, "")
		}
		t.flags = unix.BPF_F_RDONLY
		obj, err := t.code()
		moved := err != nil && t.moved(r)
		t.close()
		if !moved {
			if err != nil {
				return nil, fail("open", r.path+tree, err, adviseRead(err))
			}
			obj.SetPinned(object.Pinned{Name: t.name, Generation: t.record.Generation})
			return obj, nil
		}
	}
}

func adviseRead(err error) string {
	if errors.Is(err, unix.EPERM) {
		return "it takes CAP_BPF where kernel.unprivileged_bpf_disabled is not 0"
	}
	return ""
}

// Changed tells whether an object that was opened, or pinned, is not the one any more that is pinned under its name: it moved on to another generation, or was
// unpinned. What the object holds goes on to work, but nobody else uses it. It reads the record, and opens nothing else.
//
// It is an error if the object never was pinned ([ErrNotExist]).
func (r *Root) Changed(obj *object.Object) (bool, error) {
	was := obj.Pinned()
	if was.Name == "" {
		return false, fail("look for", readable(obj.Name()), because(ErrNotExist, "the object never was pinned", nil), "")
	}
	t, err := r.openTree(was.Name)
	if errors.Is(err, ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fail("look at", r.path+was.Name, err, "")
	}
	defer t.close()
	return !t.isOf(obj), nil
}

// isOf tells whether an object is of the tree's generation. The number alone does not tell: an object that was unpinned and pinned again begins at 1.
func (t *tree) isOf(obj *object.Object) bool {
	if t.record.Generation != obj.Pinned().Generation {
		return false
	}
	for i := range t.record.Pins {
		p := &t.record.Pins[i]
		switch p.Kind {
		case KindMap:
			if m := obj.Map(p.Name); m != nil && m.ID() != p.ID {
				return false
			}
		case KindProgram:
			if program := obj.Program(p.Name); program != nil && program.ID() != p.ID {
				return false
			}
		}
	}
	return true
}
