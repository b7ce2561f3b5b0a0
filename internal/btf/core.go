package btf

import (
	"bytes"
	"strings"
	"unsafe"

	"github.com/pinion-bpf/pinion/internal/text"
)

// COREKind is what a CO-RE relocation asks about a type, a field or an enumerator: enum bpf_core_relo_kind. Only the loader has a say in
// these, so no kernel is too old for one; clang has them from 10, 11 (types, enumerators) and 15 (matches) on.
type COREKind uint32

// The kinds.
const (
	COREFieldByteOffset COREKind = iota // where a field begins, in bytes; of a bit field, where the load that has all of it begins
	COREFieldByteSize                   // bytes of a field; of a bit field, of that load
	COREFieldExists                     // 1 or 0
	COREFieldSigned                     // 1 or 0
	COREFieldLShift                     // by how much to shift what was loaded, extended to 64 bits, left, and then
	COREFieldRShift                     // right, so that only the field is left
	CORETypeIDLocal                     // id of a type in the object's own BTF
	CORETypeIDTarget                    // id of a type in the kernel's BTF, 0 if there is none
	CORETypeExists                      // 1 or 0
	CORETypeSize                        // bytes, 0 if there is none
	COREEnumExists                      // 1 or 0
	COREEnumValue                       // the value of an enumerator
	CORETypeMatches                     // 1 or 0: stricter than exists
	coreKinds
)

// String says what the kind asks for, as the beginning of "existence of struct x".
func (k COREKind) String() string {
	if k >= coreKinds {
		return text.Form("CO-RE kind {}").Uint(uint64(k)).String()
	}
	return [...]string{
		"offset", "size", "existence", "signedness", "left shift", "right shift",
		"local id", "id", "existence", "size", "existence", "value", "match",
	}[k]
}

// isField tells whether the access string leads to a field.
func (k COREKind) isField() bool { return k <= COREFieldRShift }

// isEnum tells whether the access string is the index of an enumerator.
func (k COREKind) isEnum() bool { return k == COREEnumExists || k == COREEnumValue }

const (
	// maxAccess bounds the steps of an access, and with it how deep anonymous members are searched: BPF_CORE_SPEC_MAX_LEN of libbpf.
	maxAccess = 64
	// maxTypeName is the length in bytes of the longest name that is compared: longer ones match nothing.
	maxTypeName = 1<<16 - 1
	// maxCORESteps bounds the work on all relocations of one object. Those of the largest objects known need some hundred thousand.
	maxCORESteps = 1 << 25
)

// Relocator decides the CO-RE relocations of one object, as libbpf does (src/relo_core.c). First [Relocator.Add] takes them all; then
// [Relocator.Search] looks once through each blob that may have what they ask for: the kernel's, and those of its modules if
// [Relocator.Lacks] says that something is missing; then [Relocator.Fit] decides them one by one.
//
// What an object, or the kernel's BTF, can make it do is bounded: by 64 steps of an access, 32 types in a chain, and about a second for all
// relocations together. It is not for several goroutines at once.
type Relocator struct {
	local  *Data
	roots  []root
	byID   map[ID]int32     // of roots, by id in local
	byName map[string]int32 // the first root of each name without flavor
	kinds  uint32           // bits of the kinds of roots
	steps  int              // that are left
	at     uint32           // the relocation at hand, in .BTF.ext
	err    error            // why it cannot be decided

	from, to path // of the relocation at hand, in the object and in the kernel
}

// root is a type of the object's that relocations begin at.
type root struct {
	kind       Kind
	next       int32 // the next root of the same name without flavor, -1 for none
	settled    bool  // the kernel itself has candidates, so modules are not asked
	candidates []candidate
}

// candidate is a type of the kernel, or of a module, of a root's kind and name.
type candidate struct {
	data *Data
	id   ID
}

// NewRelocator returns a Relocator for an object with that BTF.
func NewRelocator(local *Data) *Relocator {
	return &Relocator{local: local, byID: map[ID]int32{}, byName: map[string]int32{}, steps: maxCORESteps}
}

// Add notes what type a relocation begins at. Those that need no type of the kernel, or are wrong, are for [Relocator.Fit] to decide.
func (r *Relocator) Add(relo CORERelo) {
	t := r.local.Type(relo.Type)
	name := essential(r.name(r.local, t.word(0)))
	if _, known := r.byID[relo.Type]; known || relo.Kind == CORETypeIDLocal || name == "" {
		return
	}
	n, next := int32(len(r.roots)), int32(-1)
	if first, found := r.byName[name]; found {
		next, r.roots[first].next = r.roots[first].next, n
	} else {
		r.byName[name] = n
	}
	r.byID[relo.Type] = n
	r.roots = append(r.roots, root{kind: enumAsOne(t.Kind()), next: next})
	r.kinds |= 1 << enumAsOne(t.Kind())
}

// enumAsOne makes one kind of the two of enumerations, which CO-RE does not tell apart.
func enumAsOne(k Kind) Kind {
	if k == KindEnum64 {
		return KindEnum
	}
	return k
}

// Search looks through target's own types for those of a kind and name that was added. Names are compared without what follows the last
// "___" in them, the flavor. The kernel's own BTF comes first. Split BTF, that of a module, is asked only for what that has not, and if several modules
// have it, all are candidates.
//
// The error is an [*Error] that wraps [ErrFormat] if target's byte order is not the object's, and [ErrLimit] if its names are so long that it is a forgery.
func (r *Relocator) Search(target *Data) error {
	if target.big != r.local.big {
		return badHeader(false, 0, "its byte order is not that of the object")
	}
	left := 1<<20 + len(target.index) + len(target.raw)/16
	for i, off := range target.index {
		t := Type{data: target, id: ID(target.first) + ID(i), off: off}
		kind := enumAsOne(t.Kind())
		if r.kinds>>kind&1 == 0 || kind == KindVoid {
			continue
		}
		name := target.boundedName(t.word(0))
		if left -= 1 + len(name)/64; left < 0 {
			return target.fail(ErrLimit, t.id, off, "the names of its types are too long to look through")
		}
		first, found := r.byName[essential(name)]
		if !found {
			continue
		}
		for n := first; n >= 0; n = r.roots[n].next {
			if root := &r.roots[n]; root.kind == kind && !(root.settled && target.base != nil) {
				root.candidates = append(root.candidates, candidate{target, t.id})
			}
		}
	}
	if target.base == nil {
		for i := range r.roots {
			r.roots[i].settled = len(r.roots[i].candidates) > 0
		}
	}
	return nil
}

// Lacks tells whether a type was added that nothing has been found for yet.
func (r *Relocator) Lacks() bool {
	for i := range r.roots {
		if len(r.roots[i].candidates) == 0 {
			return true
		}
	}
	return false
}

// boundedName returns the string at off, "" if it is longer than maxTypeName.
func (d *Data) boundedName(off uint32) string {
	s := d.tailOf(off)
	n := bytes.IndexByte(s[:min(len(s), maxTypeName+1)], 0)
	if n <= 0 {
		return ""
	}
	return unsafe.String(&s[0], n)
}

// essential cuts the flavor from a name: the last three underscores in it that stand between other characters, and what follows.
func essential(name string) string {
	for i := len(name) - 5; i >= 0; i-- {
		if name[i] != '_' && name[i+1] == '_' && strings.HasPrefix(name[i+2:], "__") && name[i+4] != '_' {
			return name[:i+1]
		}
	}
	return name
}

// step charges n steps, and tells whether they were left and all is well.
func (r *Relocator) step(n int) bool {
	r.steps -= n
	if r.steps < 0 && r.err == nil {
		r.err = &Error{Err: ErrLimit, Ext: true, Offset: r.at, Reason: "deciding the CO-RE relocations up to here takes too long"}
	}
	return r.err == nil
}

// fail notes why the relocation at hand cannot be decided. The object is at fault if d is its BTF, and then its relocation.
//
//go:noinline
func (r *Relocator) fail(d *Data, id ID, reason string) {
	if r.err != nil {
		return
	}
	if d == r.local {
		r.err = &Error{Err: ErrFormat, Ext: true, Offset: r.at, Reason: "core_relo record: " + reason}
		return
	}
	r.err = &Error{Err: ErrFormat, ID: id, Offset: d.Type(id).off, Reason: "in the kernel's BTF: " + reason}
}

// name returns the string at off, and charges its length.
func (r *Relocator) name(d *Data, off uint32) string {
	s := d.boundedName(off)
	r.step(1 + len(s)/64)
	return s
}

// resolve is [Data.Resolve] that charges its steps, and fails where that gives up.
func (r *Relocator) resolve(d *Data, id ID) Type {
	start := id
	for range maxDepth {
		t := d.Type(id)
		if !r.step(1) || !t.Kind().isModifier() {
			return t
		}
		id = t.Ref()
	}
	r.fail(d, start, "type "+text.Number(uint64(start))+" lies behind more than 32 others")
	return Type{}
}

// size is [Data.SizeOf] that charges its steps, and fails where there is no size.
func (r *Relocator) size(d *Data, id ID) uint32 {
	if !r.step(maxDepth) {
		return 0
	}
	size, err := d.SizeOf(id)
	if err != nil {
		r.fail(d, id, text.Form("type {}, {}, has no size").Uint(uint64(id)).Add(describe(d.Type(id))).String())
	}
	return size
}
