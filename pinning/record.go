package pinning

import (
	"errors"

	"github.com/pinion-bpf/pinion/internal/order"
	"github.com/pinion-bpf/pinion/internal/text"
)

// RecordVersion is the version of the record's text that this package writes, and the only one that it reads.
const RecordVersion = 1

var (
	// ErrRecord is in the [RecordError] of a record that is damaged, incomplete, foreign, or not fit to be written.
	ErrRecord = errors.New("pinning: bad record")
	// ErrRecordVersion is in the [RecordError] of a record of another version than [RecordVersion]: a newer Pinion wrote it.
	ErrRecordVersion = errors.New("pinning: record of another version")
)

// A RecordError tells what is wrong with a record, and where.
type RecordError struct {
	Err   error  // ErrRecord or ErrRecordVersion
	Where string // "%record1, line 12", "map flows", or "record" where it is about the whole
	What  string // what is wrong there
}

// Error returns one line: the kind of error, the place, and what is wrong there.
func (e *RecordError) Error() string {
	return text.Form("{}: {}: {}").Add(e.Err.Error()).Add(e.Where).Add(e.What).String()
}

// Unwrap returns Err.
func (e *RecordError) Unwrap() error { return e.Err }

//go:noinline
func badRecord(where, what string) error {
	return &RecordError{Err: ErrRecord, Where: where, What: what}
}

// A Record is what a tree says about itself.
type Record struct {
	Version    int      // RecordVersion
	Object     string   // not empty
	Instance   string   // "" where there is none
	Generation uint64   // grows with each upgrade
	ELF        [32]byte // SHA-256 of the ELF file
	Spec       [32]byte // SHA-256 of the spec as it was loaded, see object.Spec.Digest
	Complete   bool     // false: so far the tree holds only auto-pinned maps, and no programs or links
	Pins       []RecordedPin
}

// A RecordedPin is one pin of a [Record].
type RecordedPin struct {
	Kind   Kind
	Name   string // the full name in the ELF; of a link, the name of its program
	Target string // of a link: its target, if it has one
	ID     uint32 // the kernel's id of the map, program or link; never 0
	Path   string // "" for the default place in the tree; else an override's path, relative to the root
	Shared bool   // it was there before the object was pinned, and stays when the object is unpinned
}

// String returns the name people read: "map .rodata.cfg", "link ingress@eth0".
func (p RecordedPin) String() string { return p.thing().String() }

// Place returns the path of the pin relative to the root; tree is the directory of the object. It makes no checks: p is from a record that
// was decoded.
func (p RecordedPin) Place(tree string) string {
	if p.Path != "" {
		return p.Path
	}
	return p.thing().place(tree)
}

// called is String without a copy of the pin.
//
//go:noinline
func (p *RecordedPin) called() string { return p.thing().String() }

func (p *RecordedPin) thing() Thing { return Thing{Kind: p.Kind, Name: p.Name, Target: p.Target} }

// RecordName returns the name of the symbolic link that holds part i of a record, counted from 0: "%record", "%record1", "%record2".
func RecordName(i int) string {
	if i == 0 {
		return "%record"
	}
	return text.Form("%record{}").Int(i).String()
}

// checkRecord returns the tree's name and the pins of a record, sorted. Both are safe to make paths of.
func checkRecord(r *Record) (tree string, pins []*RecordedPin, err error) {
	if r.Version != RecordVersion {
		return "", nil, otherVersion("record", text.Form("{}").Int(r.Version).String())
	}
	tree, err = TreeName(r.Object, r.Instance)
	if err != nil {
		return "", nil, badRecord("record", err.Error())
	}
	var claimed claims
	all := make([]Thing, len(r.Pins))
	for i := range all {
		all[i] = r.Pins[i].thing()
	}
	last := &Thing{}
	for _, i := range order.Indices(len(all), func(a, b int) bool { return all[a].before(&all[b]) }) {
		p, t := &r.Pins[i], &all[i]
		what := p.fault(tree)
		switch {
		case what != "":
		case *t == *last:
			what = "is there twice"
		case !r.Complete && p.Kind != KindMap:
			what = "cannot be in an incomplete record, which has only maps"
		}
		if what != "" {
			return "", nil, badRecord(p.called(), what)
		}
		pins, last = append(pins, p), t
		claimed.add(p.Place(tree), p.called(), true)
	}
	if err := findConflict("", tree, claimed); err != nil {
		return "", nil, badRecord("record", err.Error())
	}
	return tree, pins, nil
}

// fault says what is wrong with one recorded pin; "" if nothing is.
func (p *RecordedPin) fault(tree string) string {
	if _, err := p.thing().component(); err != nil {
		return err.Error()
	}
	if p.ID == 0 {
		return "has the id 0, which the kernel gives to nothing"
	}
	if p.Path == "" {
		return ""
	}
	if p.Path == p.thing().place(tree) {
		return "has its default place as an override"
	}
	if what := faultOfPlace(p.Path); what != "" {
		return text.Form("the path {} {}").Quote(p.Path).Add(what).String()
	}
	return ""
}

func otherVersion(where, version string) error {
	return &RecordError{Err: ErrRecordVersion, Where: where, What: text.Form("version {}, and this Pinion reads and writes version {}: use the Pinion that wrote it, or a newer one").
		Add(version).Int(RecordVersion).String()}
}
