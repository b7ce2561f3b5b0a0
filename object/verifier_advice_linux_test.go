package object_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// linesOf gives the first and the last line of a function in a C source.
func linesOf(t *testing.T, file, function string) (first, last int) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(objectsDir, file))
	check(t, err)
	before, after, found := strings.Cut(string(data), "\nint "+function+"(")
	body, _, ends := strings.Cut(after, "\n}\n")
	if !found || !ends {
		t.Fatalf("%s has no function %s", file, function)
	}
	first = strings.Count(before, "\n") + 2
	return first, first + strings.Count(body, "\n")
}

// TestVerifierAdvice has the verifier refuse a program for each common cause: the error says where in the source it is, why, and what to do. What was too new for older
// kernels is loaded by newer ones.
func TestVerifierAdvice(t *testing.T) {
	release, err := testenv.Release()
	check(t, err)
	for name, c := range map[string]struct {
		do    string
		since string // the first Linux that takes the program, "" if none does
		early bool   // the verifier refuses it before it looks at instructions one by one
	}{
		"gpl_only":       {do: `give the object a license that is compatible, such as "Dual BSD/GPL"; its license is "Proprietary"`},
		"of_other_types": {do: "programs of type socket_filter may not call that helper"},
		"new_helper":     {do: "helper 208 needs Linux 6.1; this is " + release, since: "6.1"},
		"no_helper":      {do: "there is no such helper"},
		"atomic_fetch":   {do: "need Linux 5.12, this is " + release + "; or build with -mcpu=v2", since: "5.12", early: true},
		"callback":       {do: "need Linux 5.13; this is " + release, since: "5.17", early: true},
		"sign_extending": {do: "need Linux 6.6, this is " + release + "; or build with -mcpu=v3", since: "6.6", early: true},
		"endless":        {do: "give the loop an end"},
		"stack":          {do: "512 bytes in all: keep buffers in a map", early: true},
		"unchecked":      {do: "compare the pointer with NULL"},
		"packet":         {do: "compare with the packet's end"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, "refused")
			s.Program(name).Autoload = true
			if name == "gpl_only" {
				s.License = "Proprietary"
			}
			if c.since != "" && testenv.Has(t, c.since) {
				loadSpec(t, s, nil)
				return
			}
			_, err := s.Load(nil)
			wantError(t, err, object.ErrVerifier, name, c.do, "the log ends")
			var refused *object.VerifierError
			if !errors.As(err, &refused) || !strings.Contains(refused.Do, c.do) {
				t.Fatalf("%v, want advice %q", err, c.do)
			}
			first, last := linesOf(t, "refused.c", name)
			var line int
			if n, _ := fmt.Sscanf(refused.Line, "line %d of \"refused.c\"", &line); (n == 0) != c.early || n == 1 && (line < first || line > last) {
				t.Errorf("at %q, want one of lines %d to %d", refused.Line, first, last)
			}
			if !strings.Contains(err.Error(), refused.Line) {
				t.Errorf("%v does not say %s", err, refused.Line)
			}
		})
	}
}

// TestAdviseVerifier looks at causes that are not so easily had.
func TestAdviseVerifier(t *testing.T) {
	for reason, want := range map[string]string{
		"":                               "",
		"R1 invalid mem access 'scalar'": "",
		"BPF program is too large. Processed 1000001 insn":            "bound loops more tightly",
		"R1 pointer arithmetic with += operator prohibited for !root": "needs CAP_PERFMON",
		"unknown opcode 06":                         "-mcpu",
		"invalid func unknown#3":                    "built without helper 3",
		"invalid func unknown#181":                  "helper 181 needs Linux 5.17; this is ",
		"invalid func unknown#99999999999999999999": "",
		"invalid func ":                             "",
		"program of this type cannot use helper bpf_probe_read#4, more": "programs of type xdp may not call that helper",
	} {
		got := object.AdviseVerifier(reason, &object.ProgramSpec{Type: sys.ProgTypeXDP}, "GPL")
		if !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("of %q: %q, want %q", reason, got, want)
		}
	}
}

// TestHelperSince asks the kernel about every helper: it must have those, and only those, that Linux of its version has.
func TestHelperSince(t *testing.T) {
	testenv.Root(t)
	license, err := sys.CString("GPL")
	check(t, err)
	for helper := uint64(1); helper <= object.NewestHelper+1; helper++ {
		code := append(insn(0x85, 0, int32(helper)), insn(0x95, 0, 0)...)
		log := make([]byte, 1<<12)
		attr := sys.ProgLoadAttr{ProgType: sys.ProgTypeSocketFilter, Insns: sys.Slice(code), InsnCnt: 2, License: license, LogLevel: 1, LogBuf: sys.Slice(log), LogSize: uint32(len(log))}
		fd, err := sys.ProgLoad(&attr)
		fd.Close()
		reason := object.LogReason(unix.ByteSliceToString(log))
		do := object.AdviseVerifier(reason, &object.ProgramSpec{Type: sys.ProgTypeSocketFilter}, "GPL")
		_, rest, needs := strings.Cut(do, " needs Linux ")
		since, _, _ := strings.Cut(rest, ";")
		switch {
		case helper > object.NewestHelper:
			if do != "there is no such helper" {
				t.Errorf("helper %d: %v: %s: advice %q", helper, err, reason, do)
			}
		case needs && testenv.Has(t, since):
			t.Errorf("helper %d: %s, but advice %q", helper, reason, do)
		}
		if linux := object.HelperSince(helper); linux != "" && helper <= object.NewestHelper && strings.Contains(reason, "invalid func") == testenv.Has(t, linux) {
			t.Errorf("helper %d is said to be of Linux %s; the kernel says %q", helper, linux, reason)
		}
	}
}

// TestLastInstruction finds it in logs as kernels write them.
func TestLastInstruction(t *testing.T) {
	for log, want := range map[string]int{
		"":                               -1,
		"combined stack size of 2 calls": -1,
		"0: (95) exit\n":                 0,
		"0: (b7) r0 = 1\n12: (95) exit\nR0 !read_ok\nprocessed 1 insns": 12,
		"7: (05) goto pc-6\n2: R1=ctx()\nfrom 3 to 5: R0=1":             7,
		"99999999999: (95) exit":                                        -1,
	} {
		if got := object.LastInstruction(log); got != want {
			t.Errorf("of %q: %d, want %d", log, got, want)
		}
	}
}
