package main

import (
	"io"
	"slices"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
)

// pinInfo is one path in the JSON of plan, load and demo.
type pinInfo struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Target string `json:"target,omitempty"`
	ID     uint32 `json:"id,omitempty"`
	Path   string `json:"path"`
}

// plan shows every path that a load would pin.
func plan(c *call) error {
	flags := c.flags()
	opts := placeFlags(flags)
	attach := flags.Bool("attach", false, "as load -attach: with the links of the programs whose sections say where to")
	files, err := c.parse(flags, 1, 1)
	if err != nil {
		return err
	}
	spec, err := object.Open(files[0])
	if err != nil {
		return err
	}
	root, err := c.openRoot()
	if err != nil {
		return err
	}
	defer root.Close()
	pins, err := root.Plan(spec, opts.of(spec))
	if err != nil {
		return err
	}
	if !*attach {
		pins = slices.DeleteFunc(pins, func(p pinning.Pin) bool { return p.Kind == pinning.KindLink })
	}
	infos := describePins(pins, nil)
	return c.print(infos, func(out io.Writer) { printPins(out, "", infos) })
}

// describePins gives pins with the ids that the object has, if there is one.
func describePins(pins []pinning.Pin, obj *object.Object) []pinInfo {
	infos := []pinInfo{}
	for _, p := range pins {
		infos = append(infos, pinInfo{Kind: p.Kind.String(), Name: p.Name, Target: p.Target, ID: idOf(p, obj), Path: p.Path})
	}
	return infos
}

func idOf(p pinning.Pin, obj *object.Object) uint32 {
	if obj == nil {
		return 0
	}
	switch p.Kind {
	case pinning.KindMap:
		if m := obj.Map(p.Name); m != nil {
			return m.ID()
		}
	case pinning.KindProgram:
		if program := obj.Program(p.Name); program != nil {
			return program.ID()
		}
	case pinning.KindLink:
		if l := obj.Link(p.Name, p.Target); l != nil {
			return l.ID()
		}
	}
	return 0
}

func printPins(out io.Writer, indent string, pins []pinInfo) {
	var table [][]string
	headings := "KIND NAME PATH"
	for _, p := range pins {
		row := []string{p.Kind, p.label(), plain(p.Path)}
		if p.ID != 0 {
			headings = "KIND NAME ID PATH"
			row = slices.Insert(row, 2, decimal(p.ID))
		}
		table = append(table, row)
	}
	rows(out, indent, headings, table)
}

func (p *pinInfo) label() string {
	if p.Target != "" {
		return plain(p.Name) + "@" + plain(p.Target)
	}
	return plain(p.Name)
}
