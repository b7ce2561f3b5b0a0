package object_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// forProgram reads the programs of freplace, of which those named are loaded, for the program of o.
func forProgram(t testing.TB, o *object.Object, names ...string) *object.Spec {
	t.Helper()
	s := open(t, "freplace")
	for _, p := range s.Programs {
		p.Autoload, p.AttachProgram = slices.Contains(names, p.Name), o.Program("keep")
	}
	return s
}

// loadAllowed loads what the kernels of some providers refuse to root.
func loadAllowed(t testing.TB, s *object.Spec, what string) *object.Object {
	t.Helper()
	o, err := s.Load(needed(t, s))
	testenv.Allowed(t, err, what)
	t.Cleanup(func() { check(t, o.Close()) })
	return o
}

// TestFreplace has a program's function replaced for as long as there is the link.
func TestFreplace(t *testing.T) {
	o := load(t, "replaced")
	run(t, o, "keep", 64)
	wantVariables(t, o, map[string]uint64{"decided": 1, "kept": 65})
	other := loadAllowed(t, forProgram(t, o, "decide_otherwise"), "a program in the place of a function")
	check(t, other.Attach())
	run(t, o, "keep", 64)
	wantVariables(t, o, map[string]uint64{"decided": 1, "kept": 640})
	wantVariables(t, other, map[string]uint64{"replaced": 1})
	check(t, other.Link("decide_otherwise", "").Close())
	run(t, o, "keep", 64)
	wantVariables(t, o, map[string]uint64{"decided": 2, "kept": 65})
}

// TestFentryOfProgram has the calls of a program's function seen.
func TestFentryOfProgram(t *testing.T) {
	o := load(t, "replaced")
	other := loadAllowed(t, forProgram(t, o, "enter", "leave"), "a program at the function of another")
	check(t, other.Attach())
	run(t, o, "keep", 64)
	wantVariables(t, other, map[string]uint64{"entered": 1, "argument": 64, "returned": 65})
}

// TestFreplaceRefused gives programs that are for another program something else.
func TestFreplaceRefused(t *testing.T) {
	o, nobtf := load(t, "replaced"), load(t, "nobtf")
	for says, c := range map[string]struct {
		kind   error
		change func(*object.Spec)
	}{
		`"decide_otherwise" in section "freplace/decide" replaces a function of another program; set AttachProgram`: {object.ErrSpec, func(s *object.Spec) {
			s.Programs[0].AttachProgram = nil
		}},
		`it has no function "deride"`: {unix.ENOENT, func(s *object.Spec) { s.Programs[0].AttachTo = "deride" }},
		"without BTF":                 {unix.ENOENT, func(s *object.Spec) { s.Programs[0].AttachProgram = nobtf.Programs()[0] }},
		"and so for no program":       {object.ErrSpec, func(s *object.Spec) { s.Programs[0].Type = sys.ProgTypeLSM }},
	} {
		s := forProgram(t, o, "decide_otherwise")
		c.change(s)
		_, err := s.Load(needed(t, s))
		wantError(t, err, c.kind, says)
	}
	closed := forProgram(t, o, "decide_otherwise")
	check(t, o.Close())
	_, err := closed.Load(needed(t, closed))
	wantError(t, err, sys.ErrClosed, `for program "keep"`)
}

// TestDigestOfTarget wants a Spec that is for another program to be another one.
func TestDigestOfTarget(t *testing.T) {
	o, other := load(t, "replaced"), load(t, "xdp")
	s := forProgram(t, o, "decide_otherwise")
	before := s.Digest()
	if again := forProgram(t, load(t, "replaced"), "decide_otherwise").Digest(); again != before {
		t.Error("another digest, though the program has the same instructions")
	}
	s.Programs[0].AttachProgram = other.Programs()[0]
	if s.Digest() == before {
		t.Error("the same digest, though it is for another program")
	}
}

// TestFentry runs programs at functions of the kernel.
func TestFentry(t *testing.T) {
	s := open(t, "fentry")
	check(t, s.Variable("group").Set(binary.NativeEndian.AppendUint32(nil, uint32(os.Getpid()))))
	o := loadAllowed(t, s, "a program at a function of the kernel")
	check(t, o.Attach())
	run(t, o, "enter", 0)
	wantVariables(t, o, map[string]uint64{"entered": 1, "argument": 1, "returned": 2, "named": 1})
	err := sys.MapGetNextID(new(sys.GetIDAttr))
	if n := variable(t, o, "modified"); err != unix.ENOTTY || n != 1 {
		t.Errorf("bpf(2) answers %v, want ENOTTY of the program that modifies that, which ran %d times", err, n)
	}
}

// TestLSM runs a program at a hook, where the kernel was started with the LSM bpf.
func TestLSM(t *testing.T) {
	testenv.Kernel(t, "5.11", "LSM programs that sleep")
	s := open(t, "lsm")
	check(t, s.Variable("group").Set(binary.NativeEndian.AppendUint32(nil, uint32(os.Getpid()))))
	if says, kind := wantedHere(t, "lsm"); kind != nil {
		_, err := s.Load(needed(t, s))
		wantError(t, err, kind, says)
		return
	}
	o := loadAllowed(t, s, "a program at a hook of an LSM")
	check(t, o.Attach())
	var next sys.GetIDAttr
	check(t, sys.ProgGetNextID(&next))
	active, err := os.ReadFile("/sys/kernel/security/lsm")
	check(t, err)
	asked := variable(t, o, "asked") > 0
	if runs := slices.Contains(strings.Split(string(active), ","), "bpf"); runs != asked {
		t.Errorf("the program ran: %t; the LSMs are %s", asked, active)
	}
}

// TestFentryModule runs programs at a function of a module, or has them refused where it is not loaded. The kernels of the matrix are started without modules; with it:
// tools/vmtest.sh -k newest -module tun -run TestFentryModule ./object
func TestFentryModule(t *testing.T) {
	s := open(t, "fentry_module")
	if says, kind := wantedHere(t, "fentry_module"); kind != nil {
		if _, builtIn := kernelBTF(t).Find(btf.KindFunc, "tun_chr_open"); !builtIn {
			_, err := s.Load(needed(t, s))
			wantError(t, err, kind, `program "opens" in section "fentry/tun_chr_open"`, "the kernel and its modules have "+says)
		}
		s.Program("opens").Autoload = false
		_, err := s.Load(needed(t, s))
		wantError(t, err, kind, `program "opens_of_module"`, `module "tun" is not loaded, or has `+says)
		return
	}
	o := loadSpec(t, s, nil)
	check(t, o.Attach())
	path := filepath.Join(t.TempDir(), "tun")
	check(t, unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(10, 200))))
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	check(t, err)
	defer unix.Close(fd)
	wantVariables(t, o, map[string]uint64{"opened": 1, "named": 1})
}
