package object

import (
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/order"
	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// kconfigName is the name of the DATASEC of externs that the kernel's configuration answers, which has no section in the file, and of the map that holds the answers.
const kconfigName = ".kconfig"

// maxOptions is how many bytes the externs of .kconfig may have: a type can claim any number.
const maxOptions = 1 << 20

// options are the externs of .kconfig, by name, and where the map has each.
type options struct {
	all  []option
	size uint32 // of the map's value, in bytes
	spec int32  // index of the map in Spec.Maps
}

type option struct {
	name         string
	entry        int32 // in the DATASEC
	offset, size uint32
}

// layOutOptions gives each extern of .kconfig a place, one after the other, aligned to its size.
func (src *source) layOutOptions() error {
	datasec := src.datasec(kconfigName)
	o := options{all: make([]option, 0, datasec.Vlen())}
	for i := range datasec.Vlen() {
		v := src.types.Type(datasec.Var(i).Type)
		size, err := src.types.SizeOf(v.ID())
		if err != nil || v.Kind() != btf.KindVar {
			return malformed("an extern of .kconfig has no size")
		}
		if size > maxOptions || o.size > maxOptions {
			return malformed(text.Form("the externs of .kconfig have more than {} bytes").Int(maxOptions).String())
		}
		align := uint32(8)
		if src.types.Resolve(v.Ref()).Kind() == btf.KindArray {
			align = 1 // a string
		} else if size < 8 && size&(size-1) == 0 {
			align = size
		}
		size, align = max(size, 1), max(align, 1) // the kernel takes no variable of no size, as an array of unknown length is
		at := (o.size + align - 1) &^ (align - 1)
		o.all = append(o.all, option{v.Name(), int32(i), at, size})
		o.size = at + size
	}
	all := o.all
	order.Sort(len(all), func(a, b int) bool { return all[a].name < all[b].name }, func(a, b int) { all[a], all[b] = all[b], all[a] })
	src.options = o
	return nil
}

// option returns the extern of .kconfig of a name, nil if there is none.
func (src *source) option(name string) *option {
	all := src.options.all
	i := order.First(len(all), func(i int) bool { return all[i].name >= name })
	if i == len(all) || all[i].name != name {
		return nil
	}
	return &all[i]
}

// addOptions makes the map of the externs of .kconfig, as libbpf has it. What it holds is known when it is loaded.
func (b *mapBuilder) addOptions() error {
	o := &b.src.options
	if len(o.all) == 0 {
		return nil
	}
	o.spec = int32(len(b.specs))
	b.specs = b.specs[:len(b.specs)+1]
	b.specs[o.spec] = MapSpec{
		Name: kconfigName, Section: kconfigName, Type: sys.MapTypeArray, KeySize: 4, ValueSize: o.size, MaxEntries: 1,
		Flags: unix.BPF_F_RDONLY_PROG | unix.BPF_F_MMAPABLE, Freeze: true, Data: make([]byte, o.size),
		source: b.src, valueType: b.src.datasec(kconfigName).ID(),
	}
	return nil
}
