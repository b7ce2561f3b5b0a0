package object_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
)

// unlike are the objects that this package and the libbpf of Debian 12's bpftool do not load the same. All others must load the same.
var unlike = map[string]struct {
	us     string      // in our error, "" if we load it
	libbpf string      // in what libbpf says, "" if it loads it
	noMaps bool        // libbpf loads it, but cannot pin its maps
	amend  func(*seen) // makes of what libbpf loads what we load
	why    string
}{
	"core_custom":   {us: "the kernel has no type of that kind and name", libbpf: "failed to load", why: "its types are those of core_types"},
	"core_missing":  {libbpf: "can't pin program that wasn't loaded", why: "as optional"},
	"kconfig":       {amend: inOurOrder, why: "libbpf puts options in the order of their sizes and names, we in that of the object's BTF"},
	"kconfig_kinds": {libbpf: "CONFIG_", why: "no kernel has such options"},
	"kfunc":         {libbpf: "Unreleased reference", why: "libbpf 1.1 knows no flavors of functions, and takes the one that releases for missing; later ones and we do not"},
	"kfunc_module":  {amend: noMmap(".rodata"), why: "as iter"},
	"ksyms_missing": {libbpf: "extern (func ksym)", why: "libbpf wants all externs, those too that no loaded program uses"},
	"exceptions":    {libbpf: "exception callback type id not found", why: "libbpf 1.1 knows no exceptions"},
	"jump_table":    {us: "needs Linux 6.19", libbpf: "bad map relo", why: "libbpf 1.1 knows no jump tables"},
	"freplace":      {us: "set AttachProgram", libbpf: "failed to load", why: "it is for a program that only its user can name"},
	"arena":         {libbpf: "bad map relo", why: "libbpf 1.1 knows no arenas"},
	"struct_ops":    {us: object.FeatureStructOps, why: "we do not have it yet"},
	"dots":          {noMaps: true, why: "libbpf makes one path of two maps' names"},
	"globals":       {libbpf: "'.bss.custom'", why: "libbpf 1.1 knows only .bss; later ones and we take .bss.custom too"},
	"legacy":        {libbpf: "legacy map definitions", why: "libbpf gave old definitions up with 1.0; agents still have such objects"},
	"legacy_long":   {libbpf: "legacy map definitions", why: "as legacy"},
	"legacy_odd":    {us: "what it means cannot be known", libbpf: "legacy map definitions", why: "it is there to be refused"},
	"optional":      {libbpf: "can't pin program that wasn't loaded", why: "bpftool pins programs of ? sections, which are not loaded"},
	"pinned_odd":    {libbpf: "invalid pinning value", why: "we pin only where the value is 1, and leave other values to tools that know them"},
	"refused":       {libbpf: "can't pin program that wasn't loaded", why: "as optional"},
	"rejected":      {us: "invalid access to map value", libbpf: "invalid access to map value", why: "the verifier refuses it"},
	"sections":      {libbpf: "failed to guess program type", why: "libbpf wants to know the type of every program; we leave those out that have none"},
	"static_weak":   {libbpf: "is static and not supported", why: "libbpf takes no static programs and maps"},
	"addresses":     {libbpf: "can't pin program that wasn't loaded", why: "as optional"},
	"crossing":      {libbpf: "is static and not supported", why: "as static_weak"},
	"merged":        {amend: noMmap(".rodata.str1.1", ".rodata.str4.4", ".rodata.cst8", ".rodata.cst16", ".rodata.cst32"), why: "as iter"},
	"nobtf_maps":    {libbpf: "legacy map definitions", why: "as legacy"},
	"sizes":         {libbpf: "failed to create", why: "libbpf gives the kernel sizes of records, which it refuses; bpf2go, and we, take them for documentation"},
	"tcx":           {libbpf: "failed to guess program type", why: "libbpf 1.1 is older than the section"},
	"iter": {amend: noMmap(".rodata"), why: "bpftool's libbpf, a snapshot on the way to 1.1, makes constants that can be mapped of a section " +
		"that has only static variables; 1.1 and later, and we, see that nobody could name them"},
}

// noMmap takes the flag from maps.
func noMmap(names ...string) func(*seen) {
	return func(all *seen) {
		for i := range all.Maps {
			if slices.Contains(names, all.Maps[i].Name) {
				all.Maps[i].Flags &^= unix.BPF_F_MMAPABLE
			}
		}
	}
}

// TestLoadsAsLibbpf loads every test object with this package and with libbpf, and compares what the kernel then has.
func TestLoadsAsLibbpf(t *testing.T) {
	testenv.Host(t, "bpftool")
	testenv.Root(t)
	table, same := readTable(t), 0
	for _, file := range objects(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".bpf.o")
		t.Run(name, func(t *testing.T) {
			if compareLoads(t, file, name, table) {
				same++
			}
		})
	}
	if same < 30 {
		t.Errorf("only %d objects were compared", same)
	}
}

// compareLoads reports whether both loaded the object, so that they were compared.
func compareLoads(t *testing.T, file, name string, table map[string]row) bool {
	t.Helper()
	d, listed := unlike[name]
	spec, ours := object.Open(file)
	pinMaps := !d.noMaps
	var loaded *object.Object
	if ours == nil {
		pinMaps = pinMaps && !pinsByName(spec)
		if spec.CheckByteOrder() != nil {
			d.us, d.libbpf = "machines, which this one is not", "endianness mismatch"
		}
		if loaded, ours = spec.Load(needed(t, spec)); ours == nil {
			defer func() { check(t, loaded.Close()) }()
		}
	}
	theirs, theirErr := libbpf(t, file, pinMaps)
	// A kernel that has not what the object needs refuses it to both.
	excused := ours != nil && theirErr != nil && table[name].excuses(t)
	wantRefusal(t, "Pinion", ours, d.us, excused)
	wantRefusal(t, "libbpf", theirErr, d.libbpf, excused)
	if ours != nil || theirErr != nil {
		return false
	}
	if d.amend != nil {
		if diff := gocmp.Diff(theirs, seenByUs(t, loaded)); diff == "" {
			t.Errorf("%s loads the same, so it needs no entry in unlike", name)
		}
		d.amend(&theirs)
	} else if listed && pinMaps {
		t.Errorf("%s loads the same, so it needs no entry in unlike", name)
	}
	if diff := gocmp.Diff(theirs, seenByUs(t, loaded)); diff != "" {
		t.Errorf("-libbpf +Pinion:\n%s", diff)
	}
	return true
}

// pinsByName reports whether the object has libbpf pin maps of its own accord.
func pinsByName(s *object.Spec) bool {
	return slices.ContainsFunc(s.Maps, func(m *object.MapSpec) bool { return m.Pinning == object.PinByName })
}

// wantRefusal wants an error that has the text, or none if text is "" and nothing excuses one.
func wantRefusal(t *testing.T, who string, err error, text string, excused bool) {
	t.Helper()
	switch {
	case text == "" && err != nil && !excused:
		t.Errorf("%s refuses it: %v", who, err)
	case text != "" && err == nil:
		t.Errorf("%s loads it; remove the entry in unlike, or change it", who)
	case text != "" && !strings.Contains(err.Error(), text):
		t.Errorf("%s says: %v; want %q", who, err, text)
	}
}

// row is what the table in testdata/bpf/README.md says of an object.
type row struct{ kernel, libbpf string }

// excuses reports whether the kernel column makes no promise for this kernel: it wants a newer one, or something that is configured.
func (r row) excuses(t testing.TB) bool {
	t.Helper()
	release, err := testenv.Release()
	check(t, err)
	number := func(version string) int {
		var major, minor int
		fmt.Sscanf(version, "%d.%d", &major, &minor)
		return 1000*major + minor
	}
	return r.kernel == "none" || strings.Contains(r.kernel, ",") || number(r.kernel) > number(release)
}

// readTable reads the table.
func readTable(t testing.TB) map[string]row {
	t.Helper()
	text, err := os.ReadFile("../testdata/bpf/README.md")
	check(t, err)
	table := make(map[string]row)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 6 || !strings.Contains(cells[1], "`") {
			continue
		}
		for _, name := range strings.Split(cells[1], ",") {
			table[strings.Trim(name, " `")] = row{strings.TrimSpace(cells[3]), strings.TrimSpace(cells[4])}
		}
	}
	return table
}

// TestObjectsAreInTheTable wants every object in the table of testdata/bpf/README.md, and in it what libbpf makes of those that it does not load
// as it should.
func TestObjectsAreInTheTable(t *testing.T) {
	table := readTable(t)
	for _, file := range objects(t) {
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), ".bpf.o"), "-be")
		r, found := table[name]
		if !found {
			t.Errorf("testdata/bpf/README.md has no line about %s", name)
		}
		if d := unlike[name]; (d.libbpf != "" || d.noMaps) && r.libbpf == "" {
			t.Errorf("testdata/bpf/README.md does not say that libbpf says %q of %s", d.libbpf, name)
		}
	}
}

// inOurOrder puts the options of kconfig, four bytes each and one, in the order that we have them.
func inOurOrder(s *seen) {
	for i := range s.Maps {
		if m := &s.Maps[i]; m.Name == ".kconfig" && len(m.First) == 13 {
			m.First = m.First[8:12] + m.First[4:8] + m.First[:4] + m.First[12:]
		}
	}
}
