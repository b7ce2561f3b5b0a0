package object

import (
	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/order"
)

// placeVariables puts the variables of a section in the order in which they lie there, and leaves static ones out that lie elsewhere: clang up to 15 says of constants
// in .rodata.cst16 and its like that they are in .rodata, with the places that they have where they are. The kernel wants them in order, and none in another.
func (e *btfEditor) placeVariables(id btf.ID, sec *elf.Section) (err error) {
	t := e.types.Type(id)
	if inPlace(t) {
		return nil
	}
	vars := make([]btf.VarSecinfo, 0, t.Vlen())
	for i := range t.Vlen() {
		v := t.Var(i)
		if variable := e.types.Type(v.Type); variable.Linkage() != btf.LinkageStatic || e.src.liesAt(sec.Index, v.Offset, variable.Name()) {
			vars = append(vars, v)
		}
	}
	order.Sort(len(vars),
		func(a, b int) bool { return vars[a].Offset < vars[b].Offset },
		func(a, b int) { vars[a], vars[b] = vars[b], vars[a] })
	e.types, err = e.types.WithVars(id, vars)
	return err
}

// inPlace reports whether the kernel takes the places of the variables of a DATASEC.
func inPlace(t btf.Type) bool {
	end := uint64(0)
	for i := range t.Vlen() {
		v := t.Var(i)
		if uint64(v.Offset) < end {
			return false
		}
		end = uint64(v.Offset) + uint64(v.Size)
	}
	return end <= uint64(t.Size())
}

// maxAliases is how many symbols of one place are looked at.
const maxAliases = 16

// liesAt reports whether a symbol says that a variable of that name begins at a byte of a section.
func (src *source) liesAt(section int, offset uint32, name string) bool {
	symbols := src.objectsOf(section)
	i := order.First(len(symbols), func(i int) bool { return symbols[i].Value >= uint64(offset) })
	for n := 0; n < maxAliases && i+n < len(symbols) && symbols[i+n].Value == uint64(offset); n++ {
		if symbols[i+n].Name == name {
			return true
		}
	}
	return false
}
