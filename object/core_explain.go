package object

import (
	"strings"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/order"
	"github.com/pinion-bpf/pinion/internal/text"
)

// poisonedCall is how a log shows an instruction made by setPoison.
const poisonedCall = ": (85) call unknown#195896080"

// explain implements typeFixes.
func (c *coreFixes) explain(m *image, log string) string {
	before, _, found := strings.Cut(log, poisonedCall) // it is the last instruction that the verifier looks at
	insn, ok := text.Parse(text.Trim(before[strings.LastIndexByte(before, '\n')+1:]), 10, 32)
	if !found || !ok {
		return ""
	}
	for i := range m.poisoned {
		if p := &m.poisoned[i]; uint64(p.insn) == insn {
			return c.missing(p.fix)
		}
	}
	return ""
}

// missing says which access a fix is of, where it is in the source, and what the kernel lacks.
func (c *coreFixes) missing(n uint32) string {
	// The last function whose accesses do not begin after it; those without any begin where the next ones do.
	index := order.First(len(c.first), func(i int) bool { return c.first[i] > n }) - 1
	f, fix := &c.src.functions[index], &c.fixes[n]
	relo := c.src.ext.COREReloAt(c.src.accesses(f), int(n-c.first[index]))
	why := "the kernel has no type of that kind and name"
	switch {
	case fix.BadSize && fix.OldSize == fix.NewSize:
		why = "the kernel has several types of that name, and its size is not the same in all"
	case fix.BadSize:
		why = text.Form("loads and stores of it were compiled for {} bytes, the kernel's has {}, and it is no pointer and no number without sign: read it with a helper (BPF_CORE_READ)").
			Uint(uint64(fix.OldSize)).Uint(uint64(fix.NewSize)).String()
	case fix.Known:
		why = "the kernel's type of that name has nothing of the kind there; ask whether it exists before using it"
	}
	return text.Form("{}: {}").Add(c.src.whereAccess(f, &relo)).Add(why).String()
}

// whereAccess says what an access is of, and where in the source.
func (src *source) whereAccess(f *function, relo *btf.CORERelo) string {
	what := src.types.DescribeAccess(*relo)
	at := text.Form("{} in function {}, instruction {}").Add(what).Quote(f.name).Uint(uint64(relo.InsnOff/insnSize - f.start)).String()
	if line, number, file := src.sourceLine(f, relo.InsnOff/insnSize); number > 0 {
		at = text.Form("{}, line {} of {}").Add(at).Uint(uint64(number)).Quote(file).String()
		if line != "" { // the compiler leaves it out where it cannot find the source again
			at = text.Form("{}, {}").Add(at).Quote(line).String()
		}
	}
	return at
}

// sourceLine returns the source line that an access is from, its number, and the base name of its file; 0 if none is known. clang gives the instruction with
// an access's constant no line; what uses the constant comes next, and has one.
func (src *source) sourceLine(f *function, insn uint32) (line string, number uint32, file string) {
	records, _ := src.ext.LineInfo(src.file.Sections[f.section].Name)
	if records.Count == 0 {
		return "", 0, ""
	}
	at := func(i int) uint32 { return src.ext.LineInfoAt(records, i).InsnOff / insnSize }
	n := order.First(int(records.Count), func(i int) bool { return at(i) >= insn })
	if n == int(records.Count) || at(n) >= f.start+f.count {
		n-- // the last one before
	}
	if n < 0 || at(n) < f.start {
		return "", 0, ""
	}
	info := src.ext.LineInfoAt(records, n)
	for i := n + 1; info.LineCol>>10 == 0 && i < int(records.Count) && at(i) < f.start+f.count; i++ {
		info = src.ext.LineInfoAt(records, i) // older ones give it line 0
	}
	file, line = src.types.String(info.FileNameOff), src.types.String(info.LineOff)
	for line != "" && (line[0] == ' ' || line[0] == '\t') {
		line = line[1:]
	}
	return line, info.LineCol >> 10, file[strings.LastIndexByte(file, '/')+1:]
}
