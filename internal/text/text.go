// Package text puts messages together, from a form with gaps and what goes into them, and takes lines apart.
//
//	text.Form("function {} has {} bytes, not {}").Quote(name).Uint(size).Uint(want).String()
//
// It exists for its size. Package fmt would add 180 KB to a static agent. Adding strings up with + makes the caller keep every part until the
// last one is there, some 70 bytes of instructions for a number or a quoted name; here a part costs 15 to 25, and most of what a library that
// explains its refusals consists of is that. Use package fmt wherever that does not matter.
//
// None of its functions is inlined, which would undo that.
package text

import (
	"strconv"
	"strings"
)

// Text is a message in the making.
type Text struct {
	done []byte
	rest string // of the form, with the gaps that are still open
}

// Form begins a message. Its gaps are written {}, and filled from the first to the last. There must be as many as are filled.
//
//go:noinline
func Form(form string) *Text { return &Text{rest: form} }

// fill adds what comes before the next gap.
//
//go:noinline
func (t *Text) fill() {
	gap := strings.IndexByte(t.rest, '{')
	t.done, t.rest = append(t.done, t.rest[:gap]...), t.rest[gap+len("{}"):]
}

// Add fills the next gap with s as it is.
//
//go:noinline
func (t *Text) Add(s string) *Text {
	t.fill()
	t.done = append(t.done, s...)
	return t
}

// Quote fills the next gap with [Quote] of s.
//
//go:noinline
func (t *Text) Quote(s string) *Text { return t.Add(Quote(s)) }

// Uint fills the next gap with a number.
//
//go:noinline
func (t *Text) Uint(n uint64) *Text {
	t.fill()
	t.done = strconv.AppendUint(t.done, n, 10)
	return t
}

// Int fills the next gap with a number.
//
//go:noinline
func (t *Text) Int(n int) *Text { return t.Int64(int64(n)) }

// Int64 fills the next gap with a number.
//
//go:noinline
func (t *Text) Int64(n int64) *Text {
	t.fill()
	t.done = strconv.AppendInt(t.done, n, 10)
	return t
}

// String gives the message.
//
//go:noinline
func (t *Text) String() string { return string(t.done) + t.rest }

const digits = "0123456789abcdef"

// Quote makes a name that comes from outside fit for a message: between quotes, printable, and short. Unlike strconv.Quote it takes nothing
// for printable but ASCII, and so needs no tables of Unicode.
//
//go:noinline
func Quote(s string) string {
	const most = 64
	out := make([]byte, 2+4*most)
	out[0] = '"'
	n := 1
	for i := range min(len(s), most) {
		c := s[i]
		if c >= ' ' && c <= '~' && c != '"' && c != '\\' {
			out[n] = c
			n++
			continue
		}
		out[n] = '\\'
		switch c {
		case '"', '\\':
			out[n+1] = c
			n += 2
		case '\n':
			out[n+1] = 'n'
			n += 2
		default:
			out[n+1], out[n+2], out[n+3] = 'x', digits[c>>4], digits[c&15]
			n += 4
		}
	}
	out[n] = '"'
	quoted := string(out[:n+1])
	if len(s) > most {
		quoted += "..."
	}
	return quoted
}

// Number gives n in decimal.
//
//go:noinline
func Number(n uint64) string { return strconv.FormatUint(n, 10) }

// Hex gives n as C writes it in hexadecimal.
//
//go:noinline
func Hex(n uint64) string { return "0x" + strconv.FormatUint(n, 16) }

// Parse reads a number below 1<<bits of digits of a base up to 16, and nothing else: no sign, no capital letters. Numbers longer than 64 bits
// are none. Unlike strconv.ParseUint it brings no errors that quote, and so no tables of Unicode.
//
//go:noinline
func Parse(s string, base uint64, bits int) (n uint64, ok bool) {
	for i := range len(s) {
		digit := uint64(strings.IndexByte(digits, s[i]))
		if digit >= base || n > (1<<bits-1-digit)/base {
			return 0, false
		}
		n = n*base + digit
	}
	return n, s != ""
}

// Cut returns what is before and after the first separator in s, and whether there is one: strings.Cut for one byte, which needs no search
// for longer ones.
//
//go:noinline
func Cut(s string, separator byte) (before, after string, found bool) {
	if i := strings.IndexByte(s, separator); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// CutPrefix is strings.CutPrefix, out of line.
//
//go:noinline
func CutPrefix(s, prefix string) (after string, found bool) { return strings.CutPrefix(s, prefix) }

// Has tells whether there is a byte in s.
//
//go:noinline
func Has(s string, b byte) bool { return strings.IndexByte(s, b) >= 0 }

// Trim takes spaces and newlines from both ends of s.
//
//go:noinline
func Trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\n') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\n') {
		s = s[:len(s)-1]
	}
	return s
}
