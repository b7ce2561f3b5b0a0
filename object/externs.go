package object

import (
	"errors"

	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/order"
)

// ErrExtern says that a program needs something of the kernel that this kernel has not, or has in another form: a function, a variable, or the address of a symbol
// (.ksyms). Externs that are declared __weak are 0 then, and programs can ask for that.
var ErrExtern = errors.New("object: the kernel lacks an extern")

// Extern is something that the object does not have itself, and that the kernel answers by its name when the object is loaded.
type Extern struct {
	Name string
	Kind string // "kernel option" (of .kconfig); of .ksyms: "kernel symbol" (an address), "kernel variable" or "kernel function", which have types
	Weak bool   // it may be missing, and is 0 then
}

// Externs lists the object's externs, by name.
func (s *Spec) Externs() (all []Extern) {
	externs := s.source.externs()
	for i := range externs {
		e := &externs[i]
		all = append(all, Extern{e.name, e.kind.String(), e.weak})
	}
	return all
}

// extern is an Extern with what it takes to find it.
type extern struct {
	name string
	kind externKind
	weak bool
	typ  btf.Type // VAR or FUNC
}

type externKind uint8

const (
	externKconfig  externKind = iota // an option of the kernel's configuration
	externAddress                    // the address of a symbol: the declaration has no type
	externVariable                   // a variable of the kernel, by its type
	externFunction                   // a function of the kernel, by its type
)

// String says what kind of extern it is, for users.
func (k externKind) String() string {
	return [...]string{"kernel option", "kernel symbol", "kernel variable", "kernel function"}[k]
}

// externs collects what the DATASECs of externs declare, by name.
func (src *source) externs() []extern {
	kconfig, ksyms := src.datasec(kconfigName), src.datasec(".ksyms")
	all := make([]extern, 0, kconfig.Vlen()+ksyms.Vlen())
	for _, datasec := range [...]btf.Type{kconfig, ksyms} {
		for i := range datasec.Vlen() {
			t := src.types.Type(datasec.Var(i).Type)
			e := extern{name: t.Name(), typ: t}
			switch {
			case datasec == kconfig:
			case t.Kind() == btf.KindFunc:
				e.kind = externFunction
			case src.types.Resolve(t.Ref()).Kind() == btf.KindVoid:
				e.kind = externAddress
			default:
				e.kind = externVariable
			}
			all = append(all, e)
		}
	}
	order.Sort(len(all), func(a, b int) bool { return all[a].name < all[b].name }, func(a, b int) { all[a], all[b] = all[b], all[a] })
	src.markWeak(all)
	return all
}

// markWeak notes which externs may be missing: their symbols say so.
func (src *source) markWeak(externs []extern) {
	if len(externs) == 0 {
		return
	}
	for i := range src.file.SymbolCount() {
		sym, _ := src.file.Symbol(i)
		if sym.Section != elf.SectionUndef || sym.Bind != elf.STB_WEAK {
			continue
		}
		if n := externAt(externs, sym.Name); n != nowhere {
			externs[n].weak = true
		}
	}
}

// externAt returns the index of the extern of a name, nowhere if there is none.
func externAt(externs []extern, name string) int {
	i := order.First(len(externs), func(i int) bool { return externs[i].name >= name })
	if i == len(externs) || externs[i].name != name {
		return nowhere
	}
	return i
}
