package object_test

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/link"
	"github.com/pinion-bpf/pinion/object"
)

// addressOf looks a symbol up in /proc/kallsyms; 0 if it is not there, or hidden.
func addressOf(t testing.TB, symbol string) uint64 {
	t.Helper()
	text, err := os.ReadFile("/proc/kallsyms")
	check(t, err)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[2] == symbol {
			address, err := strconv.ParseUint(fields[0], 16, 64)
			check(t, err)
			return address
		}
	}
	return 0
}

// TestKsyms has a program tell the address of a symbol.
func TestKsyms(t *testing.T) {
	o := load(t, "ksyms")
	run(t, o, "read_symbols", 0)
	want := addressOf(t, "schedule")
	if want == 0 {
		t.Error("/proc/kallsyms has no address for schedule")
	}
	wantVariables(t, o, map[string]uint64{"function_address": want, "missing_address": 0})
}

// wantedHere says what an object must be refused with on this kernel, which can lack what its externs or its programs are of; no kind if it must be loaded.
func wantedHere(t testing.TB, name string) (says string, kind error) {
	t.Helper()
	switch name {
	case "ksyms_typed": // the BTF of Debian's 5.10 does not have it; the verifier wants the address, too
		if _, found := kernelBTF(t).Find(btf.KindVar, "bpf_prog_active"); !found {
			return `kernel variable "bpf_prog_active" in function "read_variables"`, object.ErrExtern
		}
		if addressOf(t, "bpf_prog_active") == 0 {
			return "failed to find the address for kernel symbol 'bpf_prog_active'", object.ErrVerifier
		}
	case "kfunc_module":
		_, builtIn := kernelBTF(t).Find(btf.KindFunc, "bpf_xdp_ct_lookup")
		if _, err := os.Stat("/sys/kernel/btf/nf_conntrack"); err != nil && !builtIn {
			return `kernel function "bpf_xdp_ct_lookup" in function "look_up"`, object.ErrExtern
		}
	case "fentry_module":
		if _, err := os.Stat("/sys/kernel/btf/tun"); err != nil {
			return `no func "tun_chr_open" to attach to`, unix.ENOENT
		}
	case "lsm":
		if _, built := kernelBTF(t).Find(btf.KindFunc, "bpf_lsm_bpf"); !built {
			return `the kernel and its modules have no func "bpf_lsm_bpf" to attach to`, unix.ENOENT
		}
	}
	return "", nil
}

// TestKsymsTyped has a program read a variable of the kernel.
func TestKsymsTyped(t *testing.T) {
	if says, kind := wantedHere(t, "ksyms_typed"); kind != nil {
		_, err := open(t, "ksyms_typed").Load(&object.LoadOptions{KernelTypes: runningKernel(t)})
		wantError(t, err, kind, says)
		return
	}
	o := load(t, "ksyms_typed")
	run(t, o, "read_variables", 0)
	wantVariables(t, o, map[string]uint64{"missing_address": 0})
	if n := variable(t, o, "active"); n > 1 {
		t.Errorf("%d programs are active on this processor; nothing but this one runs", n)
	}
}

// TestKfunc has a program call functions of the kernel: the task that runs it is found by its id, and none by the largest number.
func TestKfunc(t *testing.T) {
	testenv.Object(t, objectsDir, "kfunc")
	o := load(t, "kfunc")
	check(t, o.Attach())
	_, err := link.ReadIter(o.Link("call", "").Link, 1<<20)
	check(t, err)
	runs := variable(t, o, "runs")
	if runs == 0 {
		t.Error("the program did not run")
	}
	wantVariables(t, o, map[string]uint64{"found": runs, "found_none": 0, "exists": runs})
}

// TestKsymsModules has a program call functions of a module, or be refused where that is not loaded. The kernels of the matrix are started without modules; with it:
// tools/vmtest.sh -k newest -module nf_conntrack -run TestKsymsModules ./object
func TestKsymsModules(t *testing.T) {
	testenv.Object(t, objectsDir, "kfunc_module")
	if says, kind := wantedHere(t, "kfunc_module"); kind != nil {
		_, err := open(t, "kfunc_module").Load(&object.LoadOptions{KernelTypes: runningKernel(t)})
		wantError(t, err, kind, says, "the kernel and its modules have nothing of that name")
		return
	}
	o := load(t, "kfunc_module")
	run(t, o, "look_up", 64)
	wantVariables(t, o, map[string]uint64{"runs": 1, "found": 0, "error": uint64(unix.ENOENT), "exists": 1})
}

// TestKsymsMissing loads programs that reach what the kernel has not: those alone are refused, and the error says what and where.
func TestKsymsMissing(t *testing.T) {
	types := runningKernel(t)
	o := loadSpec(t, open(t, "ksyms_missing"), &object.LoadOptions{KernelTypes: types})
	run(t, o, "good", 0)
	wantVariables(t, o, map[string]uint64{"value": 7})
	const nothing = "the kernel and its modules have nothing of that name"
	for program, c := range map[string]struct {
		kind  error
		parts []string
	}{
		"symbol":     {object.ErrExtern, []string{`kernel symbol "pinion_has_no_such_symbol" in function "symbol", instruction `, "/proc/kallsyms has no symbol"}},
		"variable":   {object.ErrExtern, []string{`kernel variable "pinion_has_no_such_variable" in function "variable"`, nothing}},
		"function":   {object.ErrExtern, []string{`kernel function "pinion_has_no_such_function" in function "call_none"`, nothing}},
		"other_type": {object.ErrExtern, []string{`kernel function "schedule" in function "other_type"`, "another type than the object declares"}},
		"unguarded": {object.ErrVerifier, []string{
			`"unguarded"`, `kernel function "pinion_has_no_such_weak_function" is called where it can be missing`, nothing, "ask bpf_ksym_exists",
		}},
	} {
		s := open(t, "ksyms_missing")
		s.Program(program).Autoload = true
		_, err := s.Load(&object.LoadOptions{KernelTypes: types})
		wantError(t, err, c.kind, c.parts...)
	}
	s := open(t, "ksyms_missing")
	s.Program("weak_other_type").Autoload = true
	o = loadSpec(t, s, &object.LoadOptions{KernelTypes: types})
	run(t, o, "weak_other_type", 0)
	wantVariables(t, o, map[string]uint64{"value": 8})
}

// TestKsymsNotAsked loads an object with externs without anything to ask.
func TestKsymsNotAsked(t *testing.T) {
	_, err := open(t, "ksyms").Load(nil)
	wantError(t, err, object.ErrNoKernelTypes, `"ksyms"`, "externs, of section .ksyms", "set LoadOptions.KernelTypes")
}

// TestKsymsOtherTypes gives types of another kernel: functions are looked for in those of the kernel that runs.
func TestKsymsOtherTypes(t *testing.T) {
	o := loadSpec(t, open(t, "ksyms"), &object.LoadOptions{KernelTypes: customTypes(t)})
	run(t, o, "read_symbols", 0)
	s := open(t, "ksyms_missing")
	s.Program("other_type").Autoload = true
	_, err := s.Load(&object.LoadOptions{KernelTypes: customTypes(t)})
	wantError(t, err, object.ErrExtern, "another type than the object declares")
}

// TestKallsyms reads lists that no kernel of ours has.
func TestKallsyms(t *testing.T) {
	long := strings.Repeat("0000000000000001 t f\n", 1<<13) // several times the buffer
	for name, c := range map[string]struct {
		list    string
		address uint64
		why     string
	}{
		"in a module":   {"ffff000000001230 T schedule\t[sched]\n", 0xffff000000001230, ""},
		"renamed":       {"ffffffff00001230 t schedule.llvm.123\n", 0xffffffff00001230, ""},
		"twice":         {"10 T schedule\n10 T schedule\n", 0x10, ""},
		"two of them":   {"10 T schedule\n20 t schedule\n", 0, "several symbols of that name"},
		"after much":    {long + "20 t schedule\n", 0x20, ""},
		"hidden":        {"00 T schedule\n00 t other\n", 0, "hides addresses"},
		"another name":  {"10 T schedule2\n10 T chedule\n", 0, "no symbol of that name"},
		"nothing":       {"", 0, "no symbol of that name"},
		"no list":       {"\x00\n\n \n  \na b\nschedule\n10 T\nx T schedule\n", 0, "no symbol of that name"},
		"without end":   {"10 T schedule", 0, "no symbol of that name"},
		"a long line":   {strings.Repeat("1", 1<<20), 0, "no symbol of that name"},
		"after spaces":  {"10 T schedule \n", 0, "no symbol of that name"},
		"too much hexa": {"11111111111111111 T schedule\n", 0, "no symbol of that name"},
	} {
		t.Run(name, func(t *testing.T) {
			address, why, err := object.Kallsyms(open(t, "ksyms"), "schedule", pipe(t, c.list))
			check(t, err)
			if address != c.address || why != c.why && !strings.Contains(why, c.why) || c.why == "" && why != "" {
				t.Errorf("address %#x, %q; want %#x, %q", address, why, c.address, c.why)
			}
		})
	}
}

// pipe gives a descriptor that a text can be read from.
func pipe(t *testing.T, text string) int {
	t.Helper()
	var ends [2]int
	check(t, unix.Pipe2(ends[:], unix.O_CLOEXEC))
	done := make(chan struct{})
	go func() {
		defer close(done)
		w := os.NewFile(uintptr(ends[1]), "pipe")
		bytes.NewBufferString(text).WriteTo(w)
		w.Close()
	}()
	t.Cleanup(func() {
		unix.Close(ends[0])
		<-done
	})
	return ends[0]
}
