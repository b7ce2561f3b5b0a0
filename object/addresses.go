package object

import (
	"github.com/pinion-bpf/pinion/internal/order"
	"github.com/pinion-bpf/pinion/internal/text"
)

// addressNear returns the first relocation in the variable that a place in global data lies in, or, where no symbol tells, among what lies between variables. Such a
// variable is to hold an address, which nobody can know: the kernel does not tell user space where a map's value, a map or a function is. So it must not be read.
// Others in the same section may.
func (src *source) addressNear(section int, place uint64) (offset uint64, found bool) {
	relData := src.sections[section].relData
	if len(relData) == 0 {
		return 0, false
	}
	start, end := uint64(0), src.file.Sections[section].Size
	symbols := src.objectsOf(section)
	after := order.First(len(symbols), func(i int) bool { return symbols[i].Value > place })
	if after < len(symbols) {
		end = symbols[after].Value
	}
	if after > 0 {
		symbol := &symbols[after-1]
		if own := symbol.Value + symbol.Size; own <= place {
			start = own
		} else if own > symbol.Value { // and does not overflow
			start, end = symbol.Value, own
		}
	}
	i := order.First(len(relData)/relocationSize, func(i int) bool {
		return src.relocation(relData[i*relocationSize:]).Offset >= start
	})
	if i == len(relData)/relocationSize {
		return 0, false
	}
	offset = src.relocation(relData[i*relocationSize:]).Offset
	return offset, offset < end
}

// address says what a reference to a variable with an address finds there.
func (src *source) address(ref *reference) string {
	section := src.places[ref.index].section
	if arena := src.only(roleArena); arena != nil && src.sections[arena.Index].dataMap == ref.index {
		section = int32(arena.Index)
	}
	offset, _ := src.addressNear(int(section), uint64(ref.offset))
	rels := src.sections[section].relData
	i := order.First(len(rels)/relocationSize, func(i int) bool { return src.relocation(rels[i*relocationSize:]).Offset >= offset })
	name := ""
	if symbol, err := src.file.Symbol(src.relocation(rels[i*relocationSize:]).Symbol); err == nil {
		if name = symbol.Name; name == "" && symbol.Section > 0 {
			name = src.file.Sections[symbol.Section].Name
		}
	}
	return text.Form("{}, of which byte {} of section {} is to be the address of {},").
		Quote(ref.name).Uint(offset).Quote(src.file.Sections[section].Name).Quote(name).String()
}
