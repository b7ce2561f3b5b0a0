package btf

import "github.com/pinion-bpf/pinion/internal/text"

// Fix is what a CO-RE relocation makes of its instruction.
type Fix struct {
	Old, New uint64 // what the instruction was compiled with, and what belongs there; the kind says what it is
	Missing  bool   // the kernel has nothing to fit it to, and New means nothing: the instruction must never run
	Unsure   bool   // compilers may have seen Old differently: what the instruction has need not be Old
	Known    bool   // the kernel has a type of that kind and name, even if it does not fit

	// For a load or store of a field: its bytes as compiled and in the kernel. They are the same unless loads and stores of the field may be, and
	// are to be, made that size.
	OldSize, NewSize uint32
	// BadSize says that a load or store of the field would go wrong: its size has changed, and it is no pointer and no number without sign.
	BadSize bool

	// Value32 says that Old, and New32 that New, is of an enumeration of 32 bits: whose upper half old compilers did not tell the sign of. New is extended with
	// zeros, unless the kernel or the object says that it has a sign.
	Value32, New32 bool
}

// Fit decides one relocation. Candidates that do not fit are dropped for later relocations that begin at the same type, as in libbpf, so relocations are to come in the
// order of the file.
//
// The error is an [*Error], and wraps [ErrFormat] if the relocation makes no sense, or the kernel's BTF none where it leads; [ErrAmbiguous] if several
// types of the kernel fit, and differ in what is asked; [ErrLimit] if it takes too long to find out.
func (r *Relocator) Fit(relo CORERelo) (Fix, error) {
	r.at, r.err = relo.At, nil
	r.step(1)
	r.parse(relo)
	fix := Fix{Missing: true}
	switch {
	case r.err != nil:
	case relo.Kind == CORETypeIDLocal:
		fix = Fix{Old: uint64(relo.Type), New: uint64(relo.Type), Unsure: true}
	default:
		n, found := r.byID[relo.Type]
		if !found {
			r.fail(r.local, 0, describe(r.local.Type(relo.Type))+" has no name to look for in the kernel, or was not added")
			break
		}
		r.choose(relo.Kind, &r.roots[n], &fix)
	}
	if r.err != nil {
		return Fix{Missing: true}, r.err
	}
	return fix, nil
}

// choose fits the relocation to all candidates that have what it asks for.
func (r *Relocator) choose(kind COREKind, root *root, fix *Fix) {
	matched, bits := 0, uint64(0)
	known := len(root.candidates) > 0
	for _, c := range root.candidates {
		found := r.match(kind, c)
		if r.err != nil {
			return
		}
		if !found {
			continue
		}
		next := r.fix(kind, true)
		switch {
		case r.err != nil:
			return
		case matched == 0:
			*fix, bits = next, r.to.bits
		case bits != r.to.bits || fix.New != next.New:
			r.err = &Error{Err: ErrAmbiguous, Ext: true, Offset: r.at, Reason: text.Form("the kernel has several types that fit, and the {} would be {} in one and {} in another").
				Add(kind.String()).Uint(fix.New).Uint(next.New).String()}
			return
		case fix.NewSize != next.NewSize:
			fix.BadSize = true
		}
		root.candidates[matched] = c
		matched++
	}
	if matched > 0 {
		root.candidates = root.candidates[:matched]
	} else {
		*fix = r.fix(kind, false)
	}
	fix.Known = known
}

// fix works out what becomes of the instruction if the kernel has r.to for it, or has nothing.
func (r *Relocator) fix(kind COREKind, found bool) (f Fix) {
	switch kind {
	case COREFieldExists, CORETypeExists, CORETypeMatches, COREEnumExists:
		f.Old = 1
		if found {
			f.New = 1
		}
	case CORETypeIDTarget:
		f.Unsure = true // a linker may have given the type another id
		if found {
			f.New = uint64(r.to.root)
		}
	case CORETypeSize:
		f.Old = uint64(r.size(r.local, r.from.root))
		if found {
			f.New = uint64(r.size(r.to.data, r.to.root))
		}
	case COREEnumValue:
		r.fixEnum(&f, found)
	default:
		r.fixField(kind, &f, found)
	}
	return f
}

func (r *Relocator) fixEnum(f *Fix, found bool) {
	from, to := r.local.Type(r.from.points[0].typ), Type{}
	f.Old, f.Value32, f.Missing = r.enumerator(&r.from).Value, from.Kind() == KindEnum, !found
	if found {
		to = r.to.data.Type(r.to.points[0].typ)
		f.New, f.New32 = r.enumerator(&r.to).Value, to.Kind() == KindEnum
	}
	signed := from.KindFlag() || to.KindFlag()
	if f.Value32 && !signed {
		f.Old = uint64(uint32(f.Old))
	}
	if f.New32 && !signed {
		f.New = uint64(uint32(f.New))
	}
}

// fixField is fix for a field.
func (r *Relocator) fixField(kind COREKind, f *Fix, found bool) {
	from := r.measure(kind, &r.from)
	f.Old, f.Missing = from.value(kind), !found
	f.Unsure = from.bitField && kind != COREFieldSigned && kind != COREFieldRShift
	if !found || r.err != nil {
		return
	}
	to := r.measure(kind, &r.to)
	f.New = to.value(kind)
	if kind != COREFieldByteOffset {
		return
	}
	if !from.bitField {
		f.OldSize = from.size
	}
	if !to.bitField {
		f.NewSize = to.size
	}
	unsigned := func(t Type) bool { return t.Kind() == KindInt && t.IntEncoding()&IntSigned == 0 }
	pointers := from.typ.Kind() == KindPtr && to.typ.Kind() == KindPtr
	harmless := pointers || unsigned(from.typ) && unsigned(to.typ)
	f.BadSize = f.OldSize != f.NewSize && (from.bitField || to.bitField || !harmless)
}

// field is where a field lies, and how it is read.
type field struct {
	typ      Type   // without modifiers
	offset   uint32 // of the load that has all of it, in bytes
	size     uint32 // of that load, in bytes
	start    uint64 // of the field, in bits from offset
	bits     uint64 // of the field
	bitField bool
	big      bool
}

// value returns what a relocation of that kind asks of the field.
func (f *field) value(kind COREKind) uint64 {
	switch kind {
	case COREFieldByteOffset:
		return uint64(f.offset)
	case COREFieldByteSize:
		return uint64(f.size)
	case COREFieldSigned:
		isEnum := f.typ.Kind() == KindEnum || f.typ.Kind() == KindEnum64
		if isEnum && f.typ.KindFlag() || f.typ.IntEncoding()&IntSigned != 0 {
			return 1
		}
	case COREFieldLShift:
		if f.big { // the load's first bit is bit 8*size-1 of the 64
			return 64 - 8*uint64(f.size) + f.start
		}
		return 64 - f.start - f.bits
	case COREFieldRShift:
		return 64 - f.bits
	}
	return 0
}

// measure finds out where the field at the end of a path lies.
func (r *Relocator) measure(kind COREKind, p *path) (f field) {
	d, last := p.data, p.last()
	f.big, f.offset = d.big, uint32(p.bits/8)
	if !last.named {
		if kind != COREFieldByteOffset && kind != COREFieldByteSize {
			r.fail(d, p.root, kind.String()+" is asked of an array element")
		}
		f.typ, f.size = d.Type(last.typ), r.size(d, last.typ)
		return f
	}
	m := p.member(last)
	f.typ = r.resolve(d, m.Type)
	if m.BitSize != 0 {
		r.measureBits(&f, p, uint64(m.BitSize))
		return f
	}
	if r.err == nil {
		f.size = r.size(d, f.typ.ID())
	}
	f.start, f.bits = p.bits%8, 8*uint64(f.size)
	if f.start+f.bits > 64 && (kind == COREFieldLShift || kind == COREFieldRShift) {
		r.fail(d, p.root, text.Form("{} is asked of a field of {} bytes").Add(kind.String()).Uint(uint64(f.size)).String())
	}
	return f
}

// measureBits finds the smallest aligned load that has all of a bit field, but none smaller than its type.
func (r *Relocator) measureBits(f *field, p *path, bits uint64) {
	f.bitField, f.bits = true, bits
	switch f.typ.Kind() {
	case KindInt, KindEnum, KindEnum64:
		for size := f.typ.Size(); size == 1 || size == 2 || size == 4 || size == 8; size *= 2 {
			f.size, f.offset = size, uint32(p.bits/8)/size*size
			f.start = p.bits - 8*uint64(f.offset)
			if f.start+bits <= 8*uint64(size) {
				return
			}
		}
	}
	r.fail(p.data, p.root, text.Form("no load of up to 8 bytes has a bit field of {} bits of {} at bit {}").
		Uint(bits).Add(describe(f.typ)).Uint(p.bits).String())
}
