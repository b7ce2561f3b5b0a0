package btf

import "github.com/pinion-bpf/pinion/internal/text"

// describe names a type as C does: "struct flow", "unsigned int", "array". Names come from outside: what is not printable is quoted.
func describe(t Type) string {
	name := printable(t.Name())
	switch kind := t.Kind(); {
	case kind == KindPtr:
		return "pointer"
	case kind == KindInt && name != "", kind == KindFloat && name != "":
		return name
	case kind == KindFwd:
		return text.Form("{} {} (only declared)").Add(declared(t).String()).Add(name).String()
	case name != "":
		return kind.String() + " " + name
	case kind == KindStruct, kind == KindUnion, kind == KindEnum, kind == KindEnum64:
		return "anonymous " + kind.String()
	default:
		return kind.String()
	}
}

// label names a member, by its index if it has no name.
func label(name string, i int) string {
	if name == "" {
		return text.Number(uint64(i))
	}
	return text.Quote(name)
}

// printable quotes a name that is not printable, or long.
func printable(s string) string {
	if q := text.Quote(s); len(q) != len(s)+2 {
		return q
	}
	return s
}

// encoding spells out the encoding of an INT.
func encoding(t Type) string {
	s := "unsigned"
	if t.IntEncoding()&IntSigned != 0 {
		s = "signed"
	}
	if t.IntEncoding()&IntChar != 0 {
		s += " char"
	}
	if t.IntEncoding()&IntBool != 0 {
		s += " bool"
	}
	return s
}

// differ returns "a, not b unit".
func differ(a, b uint32, unit string) string {
	return text.Form("{}, not {} {}").Uint(uint64(a)).Uint(uint64(b)).Add(unit).String()
}

// prefix puts the place before a difference, if there is one.
func prefix(where, diff string) string {
	if diff == "" {
		return ""
	}
	return where + ": " + diff
}
