package object

import (
	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// Feature is something that an object needs and this package cannot do. Load refuses an object for it, unless only programs that
// are not loaded need it.
type Feature struct {
	Kind  string // one of the constants FeatureExtern to FeatureAddress
	Where string // what needs it, such as: function "f" in section "xdp", instruction 12
}

// Kinds of a [Feature], as they are shown to users.
const (
	FeatureExtern    = "undefined symbol" // an extern that belongs to another object; the two were to be linked
	FeatureStructOps = "struct_ops"       // a table of functions that the kernel calls
	FeatureSection   = "unknown section"  // one whose name does not say of what type its programs are; they are loaded once their Type and Autoload are set
	FeatureAddress   = "address in data"  // a variable that is to hold the address of something else, as in: int *p = &n; the kernel tells nobody where things are
)

// Unsupported lists what the object needs and this package cannot do, in the order of the file; none if it can be loaded whole.
func (s *Spec) Unsupported() []Feature {
	src := s.source
	all, ksyms := src.featuresOfObject(), src.ksymNames()
	for i := range src.functions {
		if p := s.programOf(int32(i)); p != nil && p.Type == sys.ProgTypeUnspec {
			all = withFeature(all, FeatureSection, src.whereIs(&src.functions[i]))
		}
		all = append(all, src.featuresOf(int32(i), ksyms)...)
	}
	return all
}

// whereIs names a function and its section.
//
//go:noinline
func (src *source) whereIs(f *function) string {
	return text.Form("function {} in section {}").Quote(f.name).Quote(src.file.Sections[f.section].Name).String()
}

// featuresOfObject lists what stands in the way of loading anything of the object.
func (src *source) featuresOfObject() (all []Feature) {
	for i := range src.sections {
		kind := ""
		switch src.sections[i].role {
		case roleStructOps:
			kind = FeatureStructOps
		default:
			continue
		}
		all = withFeature(all, kind, text.Form("section {}").Quote(src.file.Sections[i].Name).String())
	}
	return all
}

// featuresOf lists what one function needs, one entry for each extern.
func (src *source) featuresOf(index int32, ksyms map[string]bool) (all []Feature) {
	f := &src.functions[index]
	where := src.whereIs(f)
	if f.structOps {
		all = withFeature(all, FeatureStructOps, where)
	}
	seen := map[int]bool{} // symbols
	for rels := src.relocations(f); len(rels) > 0; rels = rels[relocationSize:] {
		rel := src.relocation(rels)
		var ref reference
		if err := src.resolve(&ref, f, rel); err != nil || ref.kind < toExtern || seen[rel.Symbol] {
			continue // what is wrong is for assemble to report
		}
		seen[rel.Symbol] = true
		kind := featureKind(&ref, ksyms)
		if kind == "" {
			continue
		}
		what := text.Quote(ref.name)
		if ref.kind == toAddress {
			what = src.address(&ref)
		}
		all = withFeature(all, kind, text.Form("{} in {}, instruction {}").
			Add(what).Add(where).Uint(uint64(ref.insn)).String())
	}
	return all
}

//go:noinline
func withFeature(all []Feature, kind, where string) []Feature {
	return append(all, Feature{kind, where})
}

// listed gives features as the end of a message.
func listed(features []Feature) (list string) {
	for i := range features {
		list += text.Form("; {}: {}").Add(features[i].Kind).Add(features[i].Where).String()
	}
	return list
}

// featureKind tells what a reference needs that this package cannot do, "" if it can.
func featureKind(ref *reference, ksyms map[string]bool) string {
	switch ref.kind {
	case toAddress:
		return FeatureAddress
	}
	if ksyms[ref.name] {
		return ""
	}
	return FeatureExtern
}

// ksymNames returns the names of the externs of .ksyms.
func (src *source) ksymNames() map[string]bool {
	names, datasec := map[string]bool{}, src.datasec(".ksyms")
	for i := range datasec.Vlen() {
		names[src.types.Type(datasec.Var(i).Type).Name()] = true
	}
	return names
}
