package object_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
)

// kconfig answers all that the test objects ask of a configuration.
const kconfig = `# a comment; CONFIG_HZ=1
CONFIG_HZ=250
CONFIG_HZ=100
CONFIG_BPF_SYSCALL=y
# CONFIG_NOT_SET is not set
CONFIG_BOOL=y
CONFIG_MODULE=m
CONFIG_CHOICE=n
CONFIG_SMALL=-128
CONFIG_NEGATIVE=-2
CONFIG_OCTAL=0777
CONFIG_HEX=0xDeadBeef
CONFIG_LONG=-9000000000
CONFIG_LARGE=0xffffffffffffffff
CONFIG_TEXT="abc=def and more"
CONFIG_OTHER="nobody asks for it"
`

// needed are the options that an object needs to be loaded on this kernel.
func needed(t testing.TB, s *object.Spec) *object.LoadOptions {
	t.Helper()
	opts := new(object.LoadOptions)
	if s.NeedsKernelTypes() {
		opts.KernelTypes = runningKernel(t)
	}
	if s.NeedsKconfig() {
		opts.Kconfig = object.ParseKconfig([]byte(kconfig))
	}
	return opts
}

// TestKconfig has a program read options of every kind.
func TestKconfig(t *testing.T) {
	o := load(t, "kconfig_kinds")
	run(t, o, "read_all", 64)
	signed := func(n int64) uint64 { return uint64(n) }
	wantVariables(t, o, map[string]uint64{
		"is_bool": 1, "module": 2, "choice": 'n', "small": signed(-128), "negative": signed(-2), "octal": 0777, "hex": 0xdeadbeef,
		"long_long": signed(-9000000000), "large": 1<<64 - 1, "text": 0x6162633d64656600, "not_set": 0,
		"cookie": one(testenv.Has(t, "5.15")), "wrapper": 1, "nothing": 0,
	})
}

// TestKconfigVersion compares what a program gets as the kernel's version with what uname says.
func TestKconfigVersion(t *testing.T) {
	o := load(t, "kconfig")
	run(t, o, "read_configuration", 64)
	release, err := testenv.Release()
	check(t, err)
	var major, minor, patch uint32
	if _, err := fmt.Sscanf(release, "%d.%d.%d", &major, &minor, &patch); err != nil {
		t.Fatal(err)
	}
	data := lookup32(t, o.Map(".bss"), 0)
	at := func(name string) uint32 { return binary.NativeEndian.Uint32(data[o.Spec().Variable(name).Offset():]) }
	// Debian's release has no patch level, but its version does.
	if got := at("version"); got>>8 != major<<8|minor || patch > 0 && got&255 != min(patch, 255) {
		t.Errorf("the version is %#x, the release %s", got, release)
	}
	if at("hz") != 250 || at("syscall_option") != 1 || at("missing_option") != 0 {
		t.Errorf("hz %d, syscall_option %d, missing_option %d; want 250, 1 and 0", at("hz"), at("syscall_option"), at("missing_option"))
	}
}

// TestKconfigRefused gives configurations that lack something, or have what does not fit.
func TestKconfigRefused(t *testing.T) {
	testenv.Root(t)
	for line, says := range map[string]string{
		"CONFIG_BOOL=m":          `kernel option "CONFIG_BOOL" is declared as bool; its value m does not fit`,
		"CONFIG_HEX=y":           `"CONFIG_HEX" is declared as an integer; its value y`,
		"CONFIG_HEX=0x100000000": "does not fit into 32 bits",
		"CONFIG_SMALL=128":       "does not fit into 8 bits",
		"CONFIG_SMALL=-129":      "does not fit into 8 bits",
		"CONFIG_NEGATIVE=32768":  "does not fit into 16 bits",
		"CONFIG_HEX=-1":          "does not fit into 32 bits",
		"CONFIG_HEX=12x":         "is no value that is known",
		"CONFIG_HEX=":            "is no value that is known",
		"CONFIG_HEX=\"1\"":       "declare it as an array of char",
		"CONFIG_TEXT=\"":         "declare it as an array of char",
		"CONFIG_TEXT=\"a":        "declare it as an array of char",
		"CONFIG_TEXT=1":          "declare it as an integer",
		"CONFIG_TEXT=y":          "declare it as bool",
		"CONFIG_BOOL=1":          "declare it as an integer",
	} {
		_, err := open(t, "kconfig_kinds").Load(&object.LoadOptions{Kconfig: object.ParseKconfig([]byte(line + "\n" + kconfig))})
		wantError(t, err, object.ErrExtern, says)
	}
	_, err := open(t, "kconfig_kinds").Load(&object.LoadOptions{Kconfig: object.ParseKconfig(nil)})
	wantError(t, err, object.ErrExtern, "is not set in the configuration", "__weak")
	for _, opts := range []*object.LoadOptions{nil, {Kconfig: new(object.Kconfig)}} {
		_, err := open(t, "kconfig").Load(opts)
		wantError(t, err, object.ErrNoKconfig, `"kconfig"`, "set LoadOptions.Kconfig")
	}
}

// TestRunningKconfig gives this thread a /boot of its own, without a configuration and then with one. The thread ends with the test.
func TestRunningKconfig(t *testing.T) {
	testenv.Root(t)
	runtime.LockOSThread()
	check(t, os.MkdirAll("/boot", 0o755))
	check(t, unix.Unshare(unix.CLONE_NEWNS))
	check(t, unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""))
	check(t, unix.Mount("tmpfs", "/boot", "tmpfs", 0, ""))
	release, err := testenv.Release()
	check(t, err)
	path := "/boot/config-" + release
	_, err = object.RunningKconfig()
	wantError(t, err, unix.ENOENT, path, "object/configgz")
	check(t, os.WriteFile(path, []byte("CONFIG_HZ=1000\n"), 0o600))
	k, err := object.RunningKconfig()
	check(t, err)
	o := loadSpec(t, open(t, "kconfig"), &object.LoadOptions{Kconfig: k})
	run(t, o, "read_configuration", 64)
	data := lookup32(t, o.Map(".bss"), 0)
	if hz := binary.NativeEndian.Uint32(data[o.Spec().Variable("hz").Offset():]); hz != 1000 {
		t.Errorf("hz is %d, want 1000", hz)
	}
}

// TestKconfigIsConstant: the map is one of the object's like others, and is as constant as .rodata.
func TestKconfigIsConstant(t *testing.T) {
	o := load(t, "kconfig")
	err := o.Map(".kconfig").Update(make([]byte, 4), make([]byte, o.Map(".kconfig").ValueSize()), 0)
	if err == nil || !strings.Contains(err.Error(), unix.EPERM.Error()) {
		t.Errorf("writing to the map: %v", err)
	}
}
