package btf

// Wanted is a type that [Data.FindAll] looks for.
type Wanted struct {
	Kind Kind
	Name string
	Type Type // the first of that kind and name; void until it is found
}

// FindAll looks once through the blob, of split BTF through its own types, for all that is wanted and not found yet.
func (d *Data) FindAll(wanted []Wanted) {
	first, next := map[string]int32{}, make([]int32, len(wanted)) // of a name; 0 is none, so they count from 1
	kinds := uint32(0)
	for i := range wanted {
		if w := &wanted[i]; w.Type.id == 0 {
			next[i], first[w.Name] = first[w.Name], int32(i+1)
			kinds |= 1 << w.Kind
		}
	}
	for i, off := range d.index {
		t := Type{data: d, id: ID(d.first) + ID(i), off: off}
		kind := t.Kind()
		if t.id == 0 || kinds&(1<<kind) == 0 {
			continue
		}
		for n := first[t.Name()]; n > 0; n = next[n-1] {
			if w := &wanted[n-1]; w.Type.id == 0 && w.Kind == kind {
				w.Type = t
			}
		}
	}
}

// EssentialName returns a name without its flavor (___x), which tells apart several declarations of one thing of the kernel.
func EssentialName(name string) string { return essential(name) }

// Fits tells whether a VAR or FUNC of the kernel can be used where the object declares the other one: their types are compatible as those of CO-RE are
// (libbpf: bpf_core_types_are_compat). The error is about a chain of types that is too long or goes in circles.
func (r *Relocator) Fits(declared, kernel Type) (bool, error) {
	r.err = nil
	a, b := r.resolve(declared.data, declared.Ref()), r.resolve(kernel.data, kernel.Ref())
	fits := r.err == nil && r.areCompatible(a.id, kernel.data, b.id, maxDepth)
	return fits && r.err == nil, r.err
}

// HideExterns says a DATASEC of externs (".ksyms"), which BPF_BTF_LOAD does not take, in words that each kernel takes: it becomes a nameless STRUCT, its variables
// become INTs of one byte, and its functions stay as they are, but parameters without a name get that of the function, since the kernel wants one. Ids stay as they are, and
// nothing that a program is verified by is lost. For errors see [Data.SetDatasecSize]; one more is that there is no type to give to the STRUCT's members.
func (d *Data) HideExterns(id ID) error {
	t, err := d.edit(id, KindDatasec)
	if err != nil {
		return err
	}
	n, named := t.Vlen(), make([]bool, d.Len()) // many functions may be of one prototype
	for i := range n {
		switch v := d.Type(t.Var(i).Type); v.Kind() {
		case KindVar:
			d.put(v, 1, uint32(KindInt)<<kindShift)
			d.put(v, 2, 1) // byte
			d.put(v, 3, 8) // bits
		case KindFunc:
			if proto := v.Ref(); !named[proto] {
				d.nameParameters(v)
				named[proto] = true
			}
		}
	}
	sized := d.firstOf(KindInt)
	if sized.id == 0 {
		return d.fail(ErrEdit, id, t.off, "the object has externs, but no integer")
	}
	d.put(t, 0, 0)
	d.put(t, 1, uint32(KindStruct)<<kindShift|uint32(n))
	d.put(t, 2, sized.Size())
	for i := range n {
		d.put(t, 3+3*i, 0)
		d.put(t, 4+3*i, uint32(sized.id))
		d.put(t, 5+3*i, 0)
	}
	return nil
}

// nameParameters names the parameters of a function that have none.
func (d *Data) nameParameters(function Type) {
	proto := d.Type(function.Ref())
	for i := range proto.Vlen() {
		if proto.word(3+2*i) == 0 && proto.word(4+2*i) != 0 {
			d.put(proto, 3+2*i, function.word(0))
		}
	}
}

// firstOf returns the first type of a kind, void if there is none.
func (d *Data) firstOf(kind Kind) Type {
	for id := range d.Len() {
		if t := d.Type(ID(id)); t.Kind() == kind {
			return t
		}
	}
	return Type{}
}
