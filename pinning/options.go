//go:build linux

package pinning

import (
	"time"

	"github.com/pinion-bpf/pinion/object"
)

// Options say how an object is loaded and pinned. A nil *Options, or the zero one, is the default throughout.
type Options struct {
	// Name of the object, "" for the spec's own. It is an error if both are empty.
	Name string
	// Instance tells several pinned copies of one object apart: an interface, a pod, a tenant. "" for the only one.
	Instance string
	// Overrides give single maps, programs and links another path, or leave them unpinned. A map whose overridden path is pinned already is
	// shared: it is reused if it fits, and not removed with the object. So a map that objects share at a path stays there when the last of
	// them is unpinned: others than objects of Pinion may use it too. [Flat] gives the overrides that share maps with libbpf.
	Overrides []Override
	// Wait is how long to wait for another process that changes the same object, 0 for not at all; and a second at least for one that changes what lies outside
	// of all trees, if this object has something there, or links to detach. See ErrBusy.
	Wait time.Duration
	// Load is passed on when the object is loaded; its Maps are asked for what is not pinned.
	Load *object.LoadOptions
	// Attach is called by Ensure when it has loaded the object, to attach it: (*object.Object).Attach for what the sections say, or a
	// function that gives the targets. nil attaches nothing.
	Attach func(*object.Object) error
	// Upgrade says how another build of the object takes the place of the pinned one, in Upgrade, Rollback and Ensure.
	Upgrade *UpgradeOptions
	// NoUpgrade makes Ensure answer ErrDifferent where it would upgrade.
	NoUpgrade bool
	// Access says who may use what is pinned; nil for the process's user alone.
	Access *Access
}

// Flat gives the overrides that put each auto-pinned map (LIBBPF_PIN_BY_NAME) of an object at <root>/<map>, where libbpf with that root as its
// pin_root_path, and so bpftool, looks for it and puts it. A name that bpffs refuses, because it has a dot, is an error of [Root.Plan] then, as it is
// one of libbpf.
func Flat(spec *object.Spec) []Override {
	var flat []Override
	for _, m := range spec.Maps {
		if m.Pinning == object.PinByName {
			flat = append(flat, Override{Kind: KindMap, Name: m.Name, Path: m.Name})
		}
	}
	return flat
}

// or gives the options or the default ones.
func (o *Options) or() *Options {
	if o == nil {
		return new(Options)
	}
	return o
}

// tree gives the directory name of an object, name being the spec's own.
func (o *Options) tree(name string) (string, error) {
	if o.Name != "" {
		name = o.Name
	}
	if name == "" {
		return "", badName("object", name, "is empty, since the file's name is one that tools give to everyone's objects: give the object a name (Options.Name)")
	}
	return TreeName(name, o.Instance)
}
