package pinning

import (
	"errors"
	"strings"

	"github.com/pinion-bpf/pinion/internal/text"
)

// ErrName is in every [NameError] about a name: it is empty, too long, or not one that Pinion writes.
var ErrName = errors.New("pinning: unusable name")

// A NameError tells what is wrong with a name or with an override, and what to do about it.
type NameError struct {
	Err   error  // ErrName or ErrOverride
	Thing string // what it is the name of: "object", "map .rodata.cfg", "override of map flows"
	Name  string // the name or the path, as given
	What  string // what is wrong with it
}

// Error returns one line: the kind of error, the thing, its name, and what is wrong.
func (e *NameError) Error() string {
	return text.Form("{}: {}: {} {}").Add(e.Err.Error()).Add(e.Thing).Quote(e.Name).Add(e.What).String()
}

// Unwrap returns Err.
func (e *NameError) Unwrap() error { return e.Err }

//go:noinline
func badName(thing, name, what string) error {
	return &NameError{Err: ErrName, Thing: thing, Name: name, What: what}
}

func tooLong(length, limit int) string {
	return text.Form("is {} bytes long, over the limit of {}").Int(length).Int(limit).String()
}

// readable returns s, quoted where it would spoil a message: empty, or not of printable ASCII without spaces.
func readable(s string) string {
	for i := range len(s) {
		if s[i] < 0x21 || s[i] >= 0x7F {
			return text.Quote(s)
		}
	}
	if s == "" {
		return `""`
	}
	return s
}

const upperHex = "0123456789ABCDEF"

// special reports whether b is written as %XX: bpffs refuses dots, the others have a meaning in paths and in the record.
func special(b byte) bool {
	return b < 0x21 || b >= 0x7F || b == '.' || b == '%' || b == '/' || b == '@'
}

// Escape returns the name under which bpffs holds something called name: '.', '%', '/', '@', bytes below 0x21 and bytes from 0x7F up
// become '%' and two upper-case hex digits; all else stays. Different names stay different, and [Unescape] gives name back. The result is
// up to three times as long.
func Escape(name string) string {
	specials := 0
	for i := range len(name) {
		if special(name[i]) {
			specials++
		}
	}
	if specials == 0 {
		return name
	}
	out := make([]byte, 0, len(name)+2*specials)
	for i := range len(name) {
		if b := name[i]; special(b) {
			out = append(out, '%', upperHex[b>>4], upperHex[b&15])
		} else {
			out = append(out, b)
		}
	}
	return string(out)
}

// Unescape returns the name that [Escape] turned into escaped. Everything that Escape never gives is a *[NameError]: an escape in lower
// case, or cut off, or of a byte that needs none; a byte that had to be escaped; a name that Pinion reserves.
func Unescape(escaped string) (string, error) {
	if IsReserved(escaped) {
		return "", badName("escaped name", escaped, "is a name that Pinion reserves")
	}
	out := make([]byte, 0, len(escaped))
	for i := 0; i < len(escaped); i++ {
		b := escaped[i]
		if b == '%' {
			var ok bool
			if b, ok = escapedByte(escaped[i:]); !ok {
				return "", badName("escaped name", escaped, text.Form("has a '%' at byte {} that begins no escape as Pinion writes it").
					Int(i).String())
			}
			i += 2
		} else if special(b) {
			return "", badName("escaped name", escaped, text.Form("has the byte {} at byte {}, which should be escaped").
				Add(text.Hex(uint64(b))).Int(i).String())
		}
		out = append(out, b)
	}
	return string(out), nil
}

// escapedByte returns the byte that the escape at the start of s stands for, and false where s does not begin with one that [Escape] writes.
func escapedByte(s string) (byte, bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	high, low := strings.IndexByte(upperHex, s[1]), strings.IndexByte(upperHex, s[2])
	b := byte(high<<4 | low&15)
	return b, high >= 0 && low >= 0 && special(b)
}

// IsReserved reports whether a file name is one that Pinion keeps for itself: '%' followed by a letter that is no hex digit, as in %record. [Escape]
// never gives one.
func IsReserved(component string) bool {
	if len(component) < 2 || component[0] != '%' {
		return false
	}
	lower := component[1] | 0x20
	return lower > 'f' && lower <= 'z'
}

// escapePair returns first, or first@second where there is a second, both escaped.
func escapePair(first, second string) string {
	if second == "" {
		return Escape(first)
	}
	return Escape(first) + "@" + Escape(second)
}

// unescapePair undoes escapePair.
func unescapePair(thing, name string) (first, second string, err error) {
	left, right, two := text.Cut(name, '@')
	if left == "" || two && right == "" {
		return "", "", badName(thing, name, "lacks a name before or after the '@'")
	}
	if first, err = Unescape(left); err != nil {
		return "", "", err
	}
	if second, err = Unescape(right); err != nil {
		return "", "", err
	}
	return first, second, nil
}

// TreeName returns the directory of an object, or of one instance of it, below a root: "flow", "flow@eth0". An empty instance means none.
// An empty object, or a result of more than 248 bytes, is a *[NameError].
func TreeName(object, instance string) (string, error) {
	if object == "" {
		return "", badName("object", object, "is empty: give the object a name")
	}
	tree := escapePair(object, instance)
	if len(tree) > maxTreeName {
		return "", badName("object", tree, text.Form("{}: {} is put before it while the tree is built, and a file name may have {}; give the object or the instance a shorter name").
			Add(tooLong(len(tree), maxTreeName)).Add(stagePrefix).Int(maxComponent).String())
	}
	return tree, nil
}

// ParseTreeName returns the object and the instance whose tree is in the directory dir below a root; the instance is "" where there is none. What
// [TreeName] never gives is a *[NameError].
func ParseTreeName(dir string) (object, instance string, err error) {
	object, instance, err = unescapePair("tree", dir)
	if err != nil {
		return "", "", err
	}
	if _, err := TreeName(object, instance); err != nil {
		return "", "", err
	}
	return object, instance, nil
}

// ResolveName returns the directory of the object that a person means: "my.obj" and "my%2Eobj" both give "my%2Eobj", "flow@eth0" is the instance eth0
// of flow. What [Escape] writes as %XX is taken for that byte; any other byte, '%' included, is taken as it is. So an '@' in a
// name is given as %40, and the text %2E in a name as %252E. A directory that [TreeName] gave is its own result.
//
// More than one '@', nothing before or after it, or a name too long, is a *[NameError].
func ResolveName(user string) (tree string, err error) {
	object, instance, two := text.Cut(user, '@')
	if text.Has(instance, '@') {
		return "", badName("object", user, "has more than one '@': write %40 for one that is part of a name")
	}
	if two && instance == "" {
		return "", badName("object", user, "ends in '@': name the instance, or leave the '@' out")
	}
	return TreeName(unescapeKnown(object), unescapeKnown(instance))
}

// unescapeKnown undoes the escapes in s and leaves the rest.
func unescapeKnown(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		b, ok := escapedByte(s[i:])
		if ok {
			i += 2
		} else {
			b = s[i]
		}
		out = append(out, b)
	}
	return string(out)
}

// LinkName returns the file name of a link's pin: "ingress", or "ingress@eth0" where there is a target. An empty program, or a
// result of more than 255 bytes, is a *[NameError].
func LinkName(program, target string) (string, error) {
	return Thing{Kind: KindLink, Name: program, Target: target}.component()
}

// ParseLinkName returns the program and the target in the file name of a link's pin; the target is "" where there is none. What [LinkName] never
// gives is a *[NameError].
func ParseLinkName(name string) (program, target string, err error) {
	t, err := parseComponent(KindLink, name)
	return t.Name, t.Target, err
}

// parseComponent undoes [Thing.component].
func parseComponent(kind Kind, name string) (Thing, error) {
	first, second, err := unescapePair(kind.String(), name)
	if err != nil {
		return Thing{}, err
	}
	t := Thing{Kind: kind, Name: first, Target: second}
	if _, err := t.component(); err != nil {
		return Thing{}, err
	}
	return t, nil
}
