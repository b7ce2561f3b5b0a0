package object

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
)

// causes are the common reasons for which verifiers refuse programs, by what they say, each with what to do. The first that fits counts.
var causes = [...]struct{ says, do string }{ // {}: the kernel's release
	{"BPF_STX uses reserved fields", "atomic operations that give a value need Linux 5.12, this is {}; or build with -mcpu=v2"},
	{"BPF_LDX uses reserved fields", "loads that extend the sign need Linux 6.6, this is {}; or build with -mcpu=v3"},
	{"unknown opcode", "the instruction is newer than the kernel, which is Linux {}; build with an older -mcpu: v4 needs Linux 6.6, v3 5.1"},
	{"number of funcs in func_info", "callbacks, as the addresses of functions, need Linux 5.13; this is {}"},
	{"!root", "needs CAP_PERFMON, or CAP_SYS_ADMIN"},
	{"program is too large. Processed", "the verifier gave up: bound loops more tightly, or split the program into global functions or tail calls"},
	{"infinite loop detected", "give the loop an end that the verifier can see"},
	{"combined stack size of", "functions that call each other have 512 bytes in all: keep buffers in a map, such as an array for each CPU"},
	{"_or_null'", "compare the pointer with NULL before using it"},
	{"invalid access to packet", "compare with the packet's end before reading, and keep to what was compared"},
}

// adviseVerifier says what to do about a program that the verifier refused for that reason, "" if nobody knows.
func adviseVerifier(reason string, p *ProgramSpec, license string) string {
	if strings.Contains(reason, "GPL-restricted") {
		return text.Form(`the helper is for programs under the GPL: give the object a license that is compatible, such as "Dual BSD/GPL"; its license is {}`).Quote(license).String()
	}
	if helper, unknown, found := refusedHelper(reason); found {
		return adviseHelper(helper, unknown, p)
	}
	for i := range causes {
		if strings.Contains(reason, causes[i].says) {
			release, _, _ := kernelRelease()
			before, after, gap := strings.Cut(causes[i].do, "{}")
			if !gap {
				return before
			}
			return before + release + after
		}
	}
	return ""
}

// refusedHelper finds the number of the helper that a reason is about; it is unknown if the kernel has not got it, and else one that the program may not call.
func refusedHelper(reason string) (helper uint64, unknown, found bool) {
	unknown = strings.Contains(reason, "invalid func ")
	if !unknown && !strings.Contains(reason, "unknown func ") && !strings.Contains(reason, "cannot use helper ") {
		return 0, false, false
	}
	_, number, _ := text.Cut(reason, '#')
	end := 0
	for end < len(number) && number[end] >= '0' && number[end] <= '9' {
		end++
	}
	helper, found = text.Parse(number[:end], 10, 32)
	return helper, unknown, found
}

// newestHelper is the number of the last helper that there will be: kernels have got kfuncs since.
const newestHelper = 211

// helperSince are the first helper of each Linux after 5.10, which has those before, as include/uapi/linux/bpf.h numbers them.
var helperSince = [...]struct {
	first uint8
	linux string
}{
	{210, "6.2"}, {208, "6.1"}, {204, "6.0"}, {194, "5.19"}, {186, "5.18"}, {180, "5.17"}, {176, "5.16"}, {169, "5.15"}, {166, "5.14"}, {164, "5.13"}, {163, "5.12"}, {156, "5.11"},
}

// adviseHelper says what to do about a helper that the kernel does not let a program call.
func adviseHelper(helper uint64, unknown bool, p *ProgramSpec) string {
	if !unknown {
		do := text.Form("programs of type {} may not call that helper").Add(p.Type.String()).String()
		if mode := lockdown(); mode != "" {
			do += text.Form(", or not while the kernel is locked down ({})").Add(mode).String()
		}
		return do
	}
	if helper > newestHelper {
		return "there is no such helper"
	}
	for i := range helperSince {
		if helper >= uint64(helperSince[i].first) {
			release, _, _ := kernelRelease()
			return text.Form("helper {} needs Linux {}; this is {}").Uint(helper).Add(helperSince[i].linux).Add(release).String()
		}
	}
	return text.Form("the kernel was built without helper {}").Uint(helper).String()
}

// lockdown gives the mode in which the kernel is locked down, "" if it is not, or does not say.
func lockdown() string {
	fd, err := unix.Open("/sys/kernel/security/lockdown", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	var data [64]byte // "none [integrity] confidentiality"
	n, _ := unix.Read(fd, data[:])
	_, mode, _ := text.Cut(string(data[:max(n, 0)]), '[')
	mode, _, _ = text.Cut(mode, ']')
	if mode == "none" {
		return ""
	}
	return mode
}

// lastInstruction finds the instruction that a verifier looked at last.
func lastInstruction(log string) (insn uint32, found bool) {
	for log != "" {
		start := strings.LastIndexByte(log, '\n') + 1
		number, rest, _ := text.Cut(log[start:], ':')
		n, ok := text.Parse(text.Trim(number), 10, 32)
		if ok && strings.HasPrefix(rest, " (") {
			return uint32(n), true
		}
		log = log[:max(start-1, 0)]
	}
	return 0, false
}

// lineOf says which line of the source an instruction of a program is from, "" if that is not known.
func (src *source) lineOf(m *image, insn uint32) string {
	line := -1
	for at := 0; at < len(m.lineInfo) && m.big.uint32(m.lineInfo[at:]) <= insn; at += int(m.lineInfoSize) {
		line = at
	}
	if line < 0 {
		return ""
	}
	record := func(n int) uint32 { return m.big.uint32(m.lineInfo[line+4*n:]) }
	file := src.types.String(record(1))
	at := text.Form("line {} of {}").Uint(uint64(record(3) >> 10)).Quote(file[strings.LastIndexByte(file, '/')+1:]).String()
	if code := text.Trim(src.types.String(record(2))); code != "" { // the compiler leaves it out where it cannot find the source again
		at = text.Form("{}, {}").Add(at).Quote(code).String()
	}
	return at
}

// explain adds to a refusal what its log does not say: where in the source it is, what the kernel lacks, and what to do.
func (l *loader) explain(refused *VerifierError, p *ProgramSpec, m *image) {
	if l.fixes != nil {
		refused.Access = l.fixes.explain(m, refused.Log)
	}
	if refused.Access == "" && l.ksyms != nil {
		refused.Access = l.ksyms.explain(refused.Log)
	}
	if insn, found := lastInstruction(ownWords(refused.Log)); found {
		refused.Line = l.spec.source.lineOf(m, insn)
	}
	if refused.Access == "" {
		refused.Do = adviseVerifier(logReason(refused.Log), p, l.spec.License)
	}
}
