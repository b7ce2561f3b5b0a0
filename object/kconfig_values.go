package object

import (
	"strings"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/text"
)

// optionKind is what the type of an extern of .kconfig can hold: libbpf's enum kcfg_type.
type optionKind uint8

const (
	optionUnknown optionKind = iota
	optionBool
	optionChar
	optionTristate
	optionInt
	optionString
)

// String says which declaration a kind is of.
func (k optionKind) String() string {
	return [...]string{"a type that options have not", "bool", "char", "enum libbpf_tristate", "an integer", "an array of char"}[k]
}

// kindOfOption tells what a variable can hold, and whether it has a sign.
func kindOfOption(types *btf.Data, variable btf.Type) (kind optionKind, signed bool) {
	t := types.Resolve(variable.Ref())
	switch t.Kind() {
	case btf.KindArray:
		elem := types.Resolve(t.Array().Elem)
		if t.Array().Count > 0 && elem.Kind() == btf.KindInt && elem.Size() == 1 && elem.IntEncoding()&btf.IntBool == 0 {
			return optionString, false
		}
	case btf.KindEnum:
		if t.Size() == 4 && t.Name() == "libbpf_tristate" {
			return optionTristate, false
		}
	case btf.KindInt:
		signed = t.IntEncoding()&btf.IntSigned != 0
		switch isBool, size := t.IntEncoding()&btf.IntBool != 0, t.Size(); {
		case isBool && size == 1:
			return optionBool, false
		case isBool:
		case size == 1:
			return optionChar, signed
		case size == 2, size == 4, size == 8:
			return optionInt, signed
		}
	}
	return optionUnknown, false
}

// optionValues are the values of the externs of .kconfig of one load.
type optionValues struct {
	src  *source
	list []extern // by name, those of .ksyms among them
	set  []bool   // by index in list
	data []byte
}

func newOptionValues(src *source) *optionValues {
	list := src.externs()
	return &optionValues{src, list, make([]bool, len(list)), make([]byte, src.options.size)}
}

// fillKconfig is what Kconfig.fill is.
func fillKconfig(k *Kconfig, s *Spec) ([]byte, error) {
	src := s.source
	if m := s.Maps[src.options.spec]; m.ValueSize != src.options.size {
		return nil, badSpec(text.Form("map {} has a ValueSize of {}, but its externs have {} bytes").
			Quote(m.Name).Uint(uint64(m.ValueSize)).Uint(uint64(src.options.size)).String())
	}
	v := newOptionValues(src)
	if err := v.setVirtual(); err != nil {
		return nil, err
	}
	for rest, more := k.text, true; more; {
		var line string
		line, rest, more = text.Cut(rest, '\n')
		name, value, found := text.Cut(line, '=')
		if !found || !strings.HasPrefix(name, "CONFIG_") {
			continue
		}
		i := externAt(v.list, name)
		if i == nowhere || v.list[i].kind != externKconfig || v.set[i] {
			continue
		}
		if err := v.setText(i, value); err != nil {
			return nil, err
		}
	}
	for i := range v.list {
		if e := &v.list[i]; e.kind == externKconfig && !v.set[i] && !e.weak {
			return nil, &problem{ErrExtern, text.Form("{} {} is not set in the configuration; declare it __weak to have 0 then").Add(e.kind.String()).Quote(e.name).String()}
		}
	}
	return v.data, nil
}

// setText sets an option to what a line of the configuration says.
func (v *optionValues) setText(i int, value string) error {
	kind, _ := kindOfOption(v.src.types, v.list[i].typ)
	switch {
	case value == "y" || value == "n" || value == "m":
		return v.setChoice(i, kind, value[0])
	case value != "" && value[0] == '"':
		return v.setString(i, kind, value)
	}
	n, ok := parseNumber(value)
	if !ok {
		return v.refuse(i, value, "is no value that is known")
	}
	return v.setNumber(i, value, n)
}

// setChoice sets an option that is y, n or m.
func (v *optionValues) setChoice(i int, kind optionKind, choice byte) error {
	n := uint64(0)
	switch {
	case kind == optionChar:
		n = uint64(choice)
	case kind == optionTristate && choice == 'm':
		n = 2 // TRI_MODULE
	case kind == optionTristate || kind == optionBool && choice != 'm':
		if choice == 'y' {
			n = 1
		}
	default:
		return v.refuse(i, string(choice), "does not fit: declare it as bool, enum libbpf_tristate or char")
	}
	v.put(i, n)
	return nil
}

// setString sets an option that is a text; what there is no room for is cut off, as libbpf does.
func (v *optionValues) setString(i int, kind optionKind, value string) error {
	last := len(value) - 1
	if kind != optionString || last < 1 || value[last] != '"' {
		return v.refuse(i, value, "does not fit: declare it as an array of char")
	}
	place := v.place(i)
	copy(place[:len(place)-1], value[1:last])
	v.set[i] = true
	return nil
}

// setNumber sets an option that is a number; text is how it was written.
func (v *optionValues) setNumber(i int, written string, n uint64) error {
	kind, signed := kindOfOption(v.src.types, v.list[i].typ)
	if kind != optionInt && kind != optionChar {
		return v.refuse(i, written, "does not fit: declare it as an integer")
	}
	bits := 8 * len(v.place(i))
	fits := bits == 64 || n>>bits == 0
	if signed && bits < 64 {
		fits = n+1<<(bits-1) < 1<<bits
	}
	if !fits {
		return v.refuse(i, written, text.Form("does not fit into {} bits").Int(bits).String())
	}
	v.put(i, n)
	return nil
}

// put writes a number that fits.
func (v *optionValues) put(i int, n uint64) {
	place := v.place(i)
	for b := range place {
		at := b
		if v.src.big {
			at = len(place) - 1 - b
		}
		place[at] = byte(n >> (8 * b))
	}
	v.set[i] = true
}

// place is where the option lies in the map's value.
func (v *optionValues) place(i int) []byte {
	o := v.src.option(v.list[i].name)
	return v.data[o.offset:][:o.size]
}

// refuse says that an option cannot hold what it should.
func (v *optionValues) refuse(i int, value, why string) error {
	e := &v.list[i]
	kind, _ := kindOfOption(v.src.types, e.typ)
	return &problem{ErrExtern, text.Form("{} {} is declared as {}; its value {} {}").
		Add(e.kind.String()).Quote(e.name).Add(kind.String()).Add(value).Add(why).String()}
}

// parseNumber reads a number as C has it: decimal, 0x…, 0…, with a minus sign or none.
func parseNumber(s string) (n uint64, ok bool) {
	digits, negative := text.CutPrefix(s, "-")
	base := uint64(10)
	switch {
	case strings.HasPrefix(digits, "0x"), strings.HasPrefix(digits, "0X"):
		digits, base = lower(digits[2:]), 16
	case len(digits) > 1 && digits[0] == '0':
		base = 8
	}
	n, ok = text.Parse(digits, base, 64)
	if negative {
		n = -n
	}
	return n, ok
}

// lower makes letters of hexadecimal numbers small.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'F' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}
