package pinning

import (
	"slices"
	"strings"

	"github.com/pinion-bpf/pinion/internal/text"
)

// The limits of a record's text.
const (
	maxTarget = 4095                                   // bytes in the target of a symbolic link: PATH_MAX without the NUL, man 7 symlink
	maxParts  = 999                                    // so that a header has a greatest length
	maxHeader = len("pinion record 1 part 999 of 999") // bytes, without a newline
)

const headerStart = "pinion record "

// EncodeRecord returns the text of r, in parts of at most 4095 bytes: the targets of the links [RecordName](0), [RecordName](1), and so on.
// Version must be [RecordVersion]. The pins are written in the order of [Plan], whatever their order in r. The same record always gives
// the same text.
//
// Each part is whole lines, the first of them a header. Together, the other lines are:
//
//	pinion record 1 part 1 of 1
//	tree flow@eth0
//	generation 3
//	elf <64 hex digits>
//	spec <64 hex digits>
//	complete yes
//	map %2Erodata%2Ecfg id 17
//	map events id 18 shared at common/events
//	program ingress id 31
//	link ingress@eth0 id 5
//	end <16 hex digits>
//
// The last line holds the 64-bit FNV-1a of all lines between the headers and itself, each with its newline. Names, and the components of a
// path after "at", are written by [Escape]. A record that [DecodeRecord] would refuse is a *[RecordError].
func EncodeRecord(r Record) ([]string, error) { return encodeRecord(&r) }

// encodeRecord is EncodeRecord without a copy of the record.
func encodeRecord(r *Record) ([]string, error) {
	tree, pins, err := checkRecord(r)
	if err != nil {
		return nil, err
	}
	complete := "no"
	if r.Complete {
		complete = "yes"
	}
	w := recordWriter{sum: fnvStart}
	w.line("tree " + tree)
	w.line("generation " + text.Number(r.Generation))
	w.line("elf " + hex(r.ELF[:]))
	w.line("spec " + hex(r.Spec[:]))
	w.line("complete " + complete)
	for _, p := range pins {
		w.line(pinLine(p))
	}
	w.line("end " + w.sum.text())
	return splitLines(w.lines)
}

// recordWriter collects lines and their sum.
type recordWriter struct {
	lines []string
	sum   fnv
}

//go:noinline
func (w *recordWriter) line(line string) {
	w.lines, w.sum = append(w.lines, line), w.sum.add(line)
}

func pinLine(p *RecordedPin) string {
	line := text.Form("{} {} id {}").Add(p.Kind.String()).Add(escapePair(p.Name, p.Target)).Uint(uint64(p.ID)).String()
	if p.Shared {
		line += " shared"
	}
	if p.Path != "" {
		line += " at " + mapComponents(p.Path, Escape)
	}
	return line
}

// mapComponents returns the path with each component changed.
func mapComponents(path string, change func(string) string) string {
	changed := ""
	for {
		c, rest, more := text.Cut(path, '/')
		if changed += change(c); !more {
			return changed
		}
		changed, path = changed+"/", rest
	}
}

// splitLines fills one part after the other with whole lines. No line is longer than a part, as names and paths are limited.
func splitLines(lines []string) ([]string, error) {
	var parts []string
	for len(lines) > 0 {
		part := make([]byte, 0, maxTarget)
		for len(lines) > 0 && maxHeader+len(part)+1+len(lines[0]) <= maxTarget {
			part = append(append(part, '\n'), lines[0]...)
			lines = lines[1:]
		}
		parts = append(parts, string(part))
	}
	if len(parts) > maxParts {
		return nil, badRecord("record", text.Form("needs {} links for its text, over the limit of {}: pin fewer things, or with shorter names").
			Int(len(parts)).Int(maxParts).String())
	}
	for i := range parts {
		parts[i] = header(i, len(parts)) + parts[i]
	}
	return parts, nil
}

// header returns the first line of part i, from 0, of n.
func header(i, n int) string {
	return text.Form("{}{} part {} of {}").Add(headerStart).Int(RecordVersion).Int(i + 1).Int(n).String()
}

// RecordParts returns how many parts a record has, from the text of its first part. A text that is no first part is a *[RecordError], with [ErrRecord]
// or, if a newer Pinion wrote it, [ErrRecordVersion].
func RecordParts(first string) (int, error) {
	line, _, _ := text.Cut(first[:min(len(first), maxHeader+1)], '\n')
	rest, ours := text.CutPrefix(line, headerStart)
	version, _, _ := text.Cut(rest, ' ')
	v, ok := text.Parse(version, 10, 31)
	if !ours || !ok || v == 0 {
		return 0, badRecord(RecordName(0), text.Form("begins with {}, as no record of Pinion does").Quote(line).String())
	}
	if v != RecordVersion {
		return 0, otherVersion(RecordName(0), version)
	}
	number, ok := text.Parse(line[strings.LastIndexByte(line, ' ')+1:], 10, 31)
	n := int(number)
	if !ok || n < 1 || n > maxParts || line != header(0, n) {
		return 0, badRecord(RecordName(0), text.Form("begins with {}, want {} or more parts, up to {}").
			Quote(line).Quote(header(0, 1)).Int(maxParts).String())
	}
	return n, nil
}

// DecodeRecord returns the record with the text that parts hold, in order. It reads only what [EncodeRecord] writes, to the byte; anything else is a
// *[RecordError] (errors.Is: [ErrRecord], or [ErrRecordVersion] if a newer Pinion wrote it). What it returns is fit to make paths of: every name can
// be escaped into a file name, no override leaves the root, no two pins meet. Whether ids and paths are true, the caller has to see.
func DecodeRecord(parts []string) (Record, error) {
	r, err := decodeRecord(parts)
	if err != nil {
		return Record{}, err
	}
	return *r, nil
}

func decodeRecord(parts []string) (*Record, error) {
	if len(parts) == 0 {
		return nil, badRecord("record", "has no part")
	}
	n, err := RecordParts(parts[0])
	if err != nil {
		return nil, err
	}
	if n != len(parts) {
		return nil, badRecord("record", text.Form("consists of {} parts, {} are here").Int(n).Int(len(parts)).String())
	}
	rd := recordReader{parts: parts, part: -1, sum: fnvStart}
	r := rd.record()
	if rd.err != nil {
		return nil, rd.err
	}
	// There is one text for each record. Writing it again finds whatever differs (pins out of order, a number with zeros before it),
	// and checks what was read.
	again, err := encodeRecord(r)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(again, parts) {
		return nil, badRecord("record", "is not written as Pinion writes it")
	}
	return r, nil
}

// recordReader reads a record line by line. After an error, it reads no more.
type recordReader struct {
	parts []string
	part  int    // the part being read, from 0
	line  int    // the line read last, from 1
	rest  string // what is left of the part
	sum   fnv    // of the lines read, headers excluded
	err   error
}

func (rd *recordReader) fail(what string) {
	if rd.err == nil {
		rd.err = badRecord(text.Form("{}, line {}").Add(RecordName(max(rd.part, 0))).Int(rd.line).String(), what)
	}
}

// next returns the next line that is no header.
func (rd *recordReader) next() string {
	for rd.err == nil && rd.rest == "" {
		rd.openPart()
	}
	if rd.err != nil {
		return ""
	}
	var line string
	line, rd.rest, _ = text.Cut(rd.rest, '\n')
	rd.line++
	return line
}

// openPart goes to the next part, if there is one, and reads its header.
func (rd *recordReader) openPart() {
	if rd.part+1 == len(rd.parts) {
		rd.fail("the text ends too early")
		return
	}
	rd.part, rd.line = rd.part+1, 1
	part := rd.parts[rd.part]
	if len(part) > maxTarget {
		rd.fail(tooLong(len(part), maxTarget) + ", all that a symbolic link holds")
		return
	}
	line, rest, _ := text.Cut(part, '\n')
	if want := header(rd.part, len(rd.parts)); line != want {
		rd.fail(text.Form("is {}, want {}").Quote(line).Quote(want).String())
	}
	rd.rest = rest
}

func (rd *recordReader) record() *Record {
	r := &Record{Version: RecordVersion}
	tree := rd.field("tree")
	var err error
	if r.Object, r.Instance, err = ParseTreeName(tree); err != nil {
		rd.fail(err.Error())
	}
	r.Generation = rd.number("generation", rd.field("generation"), 64)
	rd.digest("elf", &r.ELF)
	rd.digest("spec", &r.Spec)
	complete := rd.field("complete")
	if r.Complete = complete == "yes"; !r.Complete && complete != "no" {
		rd.fail(text.Form("complete is {}, want yes or no").Quote(complete).String())
	}
	for rd.err == nil {
		line := rd.next()
		if sum, end := text.CutPrefix(line, "end "); end {
			rd.end(sum)
			break
		}
		r.Pins = append(r.Pins, RecordedPin{})
		rd.pin(&r.Pins[len(r.Pins)-1], line)
		rd.sum = rd.sum.add(line)
	}
	return r
}

// field reads a line that consists of the key, a space and a value.
func (rd *recordReader) field(key string) string {
	line := rd.next()
	value, ok := text.CutPrefix(line, key+" ")
	if !ok {
		rd.fail(text.Form("is {}, want a line that begins with {}").Quote(line).Quote(key).String())
	}
	rd.sum = rd.sum.add(line)
	return value
}

func (rd *recordReader) number(of, value string, bits int) uint64 {
	n, ok := text.Parse(value, 10, bits)
	if !ok {
		rd.fail(text.Form("{} is {}, want a number of at most {} bits").Add(of).Quote(value).Int(bits).String())
	}
	return n
}

func (rd *recordReader) digest(key string, to *[32]byte) {
	value := rd.field(key)
	if len(value) != 2*len(to) {
		rd.fail(text.Form("{} has {} hex digits, want {}").Add(key).Int(len(value)).Int(2 * len(to)).String())
		return
	}
	for i := range to {
		to[i] = byte(rd.hexNumber(key, value[2*i:2*i+2], 8))
	}
}

func (rd *recordReader) hexNumber(of, value string, bits int) uint64 {
	n, ok := text.Parse(value, 16, bits)
	if !ok {
		rd.fail(text.Form("{} has {}, want hex digits").Add(of).Quote(value).String())
	}
	return n
}

// pin reads "kind name id number", then perhaps "shared", then perhaps "at path".
func (rd *recordReader) pin(p *RecordedPin, line string) {
	kind, rest, _ := text.Cut(line, ' ')
	name, rest, _ := text.Cut(rest, ' ')
	rest, hasID := text.CutPrefix(rest, "id ")
	id, rest, _ := text.Cut(rest, ' ')
	k := kindOf(kind)
	if !k.valid() || !hasID {
		rd.fail(text.Form("is {}, want the end, or a map, program or link, its name, and its id").Quote(line).String())
		return
	}
	t, err := parseComponent(k, name)
	if err != nil {
		rd.fail(err.Error())
	}
	p.Kind, p.Name, p.Target, p.ID = k, t.Name, t.Target, uint32(rd.number("id", id, 32))
	if rest == "shared" || strings.HasPrefix(rest, "shared ") {
		p.Shared = true
		rest = strings.TrimPrefix(rest[len("shared"):], " ")
	}
	if rest != "" {
		p.Path = rd.path(rest)
	}
}

// path reads "at path".
func (rd *recordReader) path(rest string) string {
	escaped, ok := text.CutPrefix(rest, "at ")
	if !ok {
		rd.fail(text.Form("has {} after the id, want shared, at and a path, or nothing").Quote(rest).String())
	}
	return mapComponents(escaped, func(c string) string {
		name, err := Unescape(c)
		if err != nil {
			rd.fail(err.Error())
		}
		return name
	})
}

// end checks the last line: its sum, and that it is the last.
func (rd *recordReader) end(sum string) {
	if want := rd.sum.text(); sum != want {
		rd.fail(text.Form("the sum is {}, and that of the text is {}: a part is damaged, or of another record").
			Quote(sum).Add(want).String())
	}
	if rd.rest != "" || rd.part+1 != len(rd.parts) {
		rd.fail("the text goes on after its end")
	}
}

func kindOf(name string) Kind {
	for k := KindMap; k <= KindLink; k++ {
		if k.String() == name {
			return k
		}
	}
	return 0
}

//go:noinline
func hex(data []byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 2*len(data))
	for _, b := range data {
		out = append(out, digits[b>>4], digits[b&15])
	}
	return string(out)
}

// fnv is a 64-bit FNV-1a sum. It finds parts that are missing, old or damaged; it is no defence against someone who can write the record.
type fnv uint64

const fnvStart fnv = 0xcbf29ce484222325

// add returns the sum with a line and its newline added.
func (f fnv) add(line string) fnv {
	const prime = 0x100000001b3
	for i := range len(line) {
		f = (f ^ fnv(line[i])) * prime
	}
	return (f ^ '\n') * prime
}

// text returns the sum as 16 hex digits.
func (f fnv) text() string {
	var b [8]byte
	for i := range b {
		b[i] = byte(f >> (56 - 8*i))
	}
	return hex(b[:])
}
