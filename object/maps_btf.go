package object

import (
	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// mapVariables returns the entries of the DATASEC ".maps", one for each map.
func (src *source) mapVariables() ([]btf.VarSecinfo, error) {
	sec := src.only(roleMaps)
	if sec == nil {
		return nil, nil
	}
	const hint = "; build the object with -g, and do not strip its BTF"
	if src.types == nil {
		return nil, malformed("section \".maps\" defines maps in BTF, but there is no .BTF" + hint)
	}
	datasec := src.datasec(".maps")
	if datasec.Kind() == btf.KindVoid {
		return nil, malformed("the BTF has no DATASEC for section \".maps\"" + hint)
	}
	vars := make([]btf.VarSecinfo, datasec.Vlen())
	for i := range vars {
		vars[i] = datasec.Var(i)
	}
	return vars, nil
}

// addDefined reads the definitions in .maps (bpf_helpers.h: __uint, __type, __array, __ulong).
func (b *mapBuilder) addDefined(vars []btf.VarSecinfo) error {
	if len(vars) == 0 {
		return nil
	}
	sec := b.src.only(roleMaps)
	symbols := make(map[string]*elf.Symbol)
	objects := b.src.objectsOf(sec.Index)
	for i := range objects {
		symbols[objects[i].Name] = &objects[i] // if there are two maps of one name, readMaps says so
	}
	for _, v := range vars {
		if err := b.addVariable(sec, symbols, v); err != nil {
			return err
		}
	}
	return nil
}

// addVariable reads the map that one variable of .maps defines. Where it lies is known from its symbol: compilers leave that out of BTF.
func (b *mapBuilder) addVariable(sec *elf.Section, symbols map[string]*elf.Symbol, v btf.VarSecinfo) error {
	types := b.src.types
	variable := types.Type(v.Type)
	name := variable.Name()
	switch {
	case variable.Kind() != btf.KindVar || name == "":
		return malformed(text.Form(`type {} of the DATASEC ".maps" is no variable with a name`).Uint(uint64(v.Type)).String())
	case len(name) > maxName:
		return nameTooLong("map", name, maxName)
	case variable.Linkage() != btf.LinkageGlobal && variable.Linkage() != btf.LinkageStatic:
		return unsupported(text.Form("map {} is extern; link the object that defines it").Quote(name).String())
	}
	symbol := symbols[name]
	if symbol == nil {
		return malformed(text.Form(`map {} has no symbol in section ".maps"`).Quote(name).String())
	}
	if symbol.Value > sec.Size || uint64(v.Size) > sec.Size-symbol.Value {
		return malformed(text.Form(`map {} has {} bytes at {}, but section ".maps" has only {}`).
			Quote(name).Uint(uint64(v.Size)).Uint(symbol.Value).Uint(sec.Size).String())
	}
	d := definition{types: types, spec: b.add(name, sec, symbol.Value, uint64(v.Size))}
	return d.read(variable.Ref(), v.Size)
}

// maxFields is how many fields a definition may have before they are looked at: few, so that many maps of one long type take no time.
const maxFields = 64

// definition reads one map's definition: a struct whose members' types hold the values.
type definition struct {
	types *btf.Data
	spec  *MapSpec
	inner bool
}

// read fills in the spec from a definition of at most size bytes.
func (d *definition) read(id btf.ID, size uint32) error {
	t := d.types.Resolve(id)
	if t.Kind() != btf.KindStruct {
		return d.fail("its definition is " + t.Kind().String() + ", not a struct")
	}
	if t.Size() > size {
		return d.fail(text.Form("its definition takes {} bytes, its variable has only {}").
			Uint(uint64(t.Size())).Uint(uint64(size)).String())
	}
	if t.Vlen() > maxFields {
		return d.fail(text.Form("its definition has {} fields; only 12 are known").Int(t.Vlen()).String())
	}
	d.spec.defType = t.ID()
	values := ^btf.ID(0)
	for i := range t.Vlen() {
		m := t.Member(i)
		if m.Name != "values" {
			if err := d.member(&m); err != nil {
				return err
			}
			continue
		}
		if i != t.Vlen()-1 {
			return d.fail("field \"values\" must be the last one")
		}
		values = m.Type
	}
	if d.spec.Type == sys.MapTypeUnspec {
		return d.fail("it has no field \"type\"")
	}
	d.spec.dropRecordTypes()
	if values != ^btf.ID(0) {
		return d.values(values)
	}
	return nil
}

// member reads one field.
func (d *definition) member(m *btf.Member) (err error) {
	s := d.spec
	switch m.Name {
	case "type":
		var kind uint32
		kind, err = d.uint(m)
		s.Type = sys.MapType(kind)
	case "max_entries":
		s.MaxEntries, err = d.uint(m)
	case "map_flags":
		s.Flags, err = d.uint(m)
	case "numa_node":
		s.NUMANode, err = d.uint(m)
	case "map_extra":
		s.Extra, err = d.ulong(m)
	case "pinning":
		if d.inner {
			return d.fail("an inner map cannot be pinned: field \"pinning\"")
		}
		s.Pinning, err = d.uint(m)
	case "key_size":
		err = d.size(m, &s.KeySize)
	case "value_size":
		err = d.size(m, &s.ValueSize)
	case "key":
		s.keyType, err = d.typed(m, &s.KeySize)
	case "value":
		s.valueType, err = d.typed(m, &s.ValueSize)
	default:
		return d.fail(text.Form("field {} is unknown").Quote(m.Name).String())
	}
	return err
}

// uint reads what __uint wrote: a pointer to an array of as many elements as the value.
func (d *definition) uint(m *btf.Member) (uint32, error) {
	pointer := d.types.Resolve(m.Type)
	array := d.types.Type(pointer.Ref())
	if pointer.Kind() != btf.KindPtr || array.Kind() != btf.KindArray {
		return 0, d.fail(text.Form("field {} is no __uint: no pointer to an array").Quote(m.Name).String())
	}
	return array.Array().Count, nil
}

// ulong reads what __ulong wrote, an enum with one value, or what __uint did.
func (d *definition) ulong(m *btf.Member) (uint64, error) {
	t := d.types.Resolve(m.Type)
	if t.Kind() != btf.KindEnum && t.Kind() != btf.KindEnum64 {
		n, err := d.uint(m)
		return uint64(n), err
	}
	if t.Vlen() != 1 {
		return 0, d.fail(text.Form("field {} is an enum of {} values; __ulong writes one").Quote(m.Name).Int(t.Vlen()).String())
	}
	return t.Enum(0).Value, nil
}

// size reads a field that gives a size, which a field that gives a type may have given already.
func (d *definition) size(m *btf.Member, size *uint32) error {
	n, err := d.uint(m)
	if err != nil {
		return err
	}
	return d.setSize(m, size, n)
}

// typed reads what __type wrote: a pointer to the type.
func (d *definition) typed(m *btf.Member, size *uint32) (btf.ID, error) {
	pointer := d.types.Resolve(m.Type)
	if pointer.Kind() != btf.KindPtr {
		return 0, d.fail(text.Form("field {} is no __type: no pointer").Quote(m.Name).String())
	}
	n, err := d.types.SizeOf(pointer.Ref())
	if err != nil {
		return 0, d.fail(text.Form("field {}: {}").Quote(m.Name).Add(err.Error()).String())
	}
	return pointer.Ref(), d.setSize(m, size, n)
}

func (d *definition) setSize(m *btf.Member, size *uint32, n uint32) error {
	if *size != 0 && *size != n {
		return d.fail(text.Form("field {} asks for {} bytes, another field for {}").
			Quote(m.Name).Uint(uint64(n)).Uint(uint64(*size)).String())
	}
	*size = n
	return nil
}

// values reads what __array wrote last: the template of inner maps, or a program array's functions. Which ones is for relocations to say.
func (d *definition) values(id btf.ID) error {
	s := d.spec
	if d.inner {
		return d.fail("an inner map cannot have inner maps: field \"values\"")
	}
	if !isMapOfMaps(s.Type) && s.Type != sys.MapTypeProgArray {
		return d.fail("field \"values\" is for program arrays and maps of maps, not for " + s.Type.String())
	}
	if s.ValueSize != 0 && s.ValueSize != slotValueSize {
		return d.fail(text.Form(`its values have {} bytes; those of a map with field "values" have 4`).Uint(uint64(s.ValueSize)).String())
	}
	s.ValueSize = slotValueSize
	array := d.types.Resolve(id)
	pointer := d.types.Resolve(array.Array().Elem)
	if array.Kind() != btf.KindArray || array.Array().Count != 0 || pointer.Kind() != btf.KindPtr {
		return d.fail("field \"values\" is no __array: no array of pointers without a length")
	}
	target := d.types.Resolve(pointer.Ref())
	if s.Type == sys.MapTypeProgArray {
		if target.Kind() != btf.KindFuncProto {
			return d.fail("field \"values\" of a program array points to " + target.Kind().String() + ", not to functions")
		}
		return nil
	}
	inner := definition{types: d.types, spec: &MapSpec{Name: s.Name + ".inner", Section: s.Section}, inner: true}
	if err := inner.read(target.ID(), ^uint32(0)); err != nil {
		return err
	}
	s.Inner = inner.spec
	return nil
}

//go:noinline
func (d *definition) fail(what string) error {
	return malformed(text.Form("map {} in section {}: {}").Quote(d.spec.Name).Quote(d.spec.Section).Add(what).String())
}
