package object_test

import (
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
)

// libxdpObjects gives the paths of the objects in Debian's package libxdp1: real ones, which nobody here wrote.
func libxdpObjects(t testing.TB) (files []string) {
	t.Helper()
	for file := range strings.Lines(output(t, "dpkg", "-L", "libxdp1")) {
		if file = strings.TrimSpace(file); filepath.Ext(file) == ".o" {
			files = append(files, file)
		}
	}
	if len(files) < 10 {
		t.Fatalf("libxdp1 has the objects %q only", files)
	}
	return files
}

func output(t testing.TB, name string, arguments ...string) string {
	t.Helper()
	said, err := osexec.Command(name, arguments...).Output()
	if err != nil {
		t.Fatalf("%s %q: %v", name, arguments, err)
	}
	return string(said)
}

// TestLibxdp reads and loads what libxdp1 has. What libbpf loads, we load the same, unless we say that we lack something for it; what it does not
// load, we refuse with words. TestUnsupportedIsInTheFile looks whether these are true.
func TestLibxdp(t *testing.T) {
	testenv.Host(t, "bpftool and libxdp1")
	testenv.Root(t)
	same := 0
	for _, file := range libxdpObjects(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			s, err := object.Open(file)
			check(t, err)
			theirs, theirErr := libbpf(t, file, !pinsByName(s))
			lacks := s.Unsupported()
			o, err := s.Load(needed(t, s))
			if err == nil {
				defer func() { check(t, o.Close()) }()
			}
			switch {
			case theirErr != nil && err != nil:
				t.Logf("neither loads it. We: %v. libbpf: %.200v", err, theirErr)
			case theirErr != nil:
				t.Errorf("we load what libbpf refuses: %v", theirErr)
			case len(lacks) > 0:
				wantError(t, err, object.ErrUnsupported, lacks[0].Kind)
				t.Logf("we lack %q, libbpf loads it", lacks)
			default:
				check(t, err)
				same++
				if filepath.Base(file) == "xdp-dispatcher.o" {
					noMmap(".rodata")(&theirs) // as with our object iter: see unlike
				}
				ours := seenByUs(t, o)
				if diff := gocmp.Diff(theirs, ours); diff != "" {
					t.Errorf("-libbpf +Pinion:\n%s", diff)
				}
				t.Logf("both load the same %d maps and %d programs", len(ours.Maps), len(ours.Programs))
			}
		})
	}
	if same < 10 {
		t.Errorf("only %d objects were compared", same)
	}
}

// needs is what an object needs that this package lacks.
type needs struct {
	Relocations int      // CO-RE
	Kconfig     []string // externs
	Ksyms       []string // externs and functions
	StructOps   []string // sections
	Others      []string // what no other tool was asked about
}

// TestUnsupportedIsInTheFile compares Unsupported with what bpftool and llvm-objdump find in the file: no more and no less.
func TestUnsupportedIsInTheFile(t *testing.T) {
	testenv.Host(t, "bpftool and libxdp1")
	files, found := append(objects(t), libxdpObjects(t)...), 0
	relocations := countRelocations(t, files)
	for _, file := range files {
		s, err := object.Open(file)
		if err != nil {
			continue // TestGolden has them
		}
		want, got := needsByTools(file), needsByUs(t, s)
		want.Relocations = relocations[file]
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-tools +Unsupported):\n%s", file, diff)
		}
		if !gocmp.Equal(want, needs{}) {
			found++
		}
	}
	if found < 6 {
		t.Errorf("only %d objects need anything", found)
	}
}

func needsByUs(t testing.TB, s *object.Spec) (n needs) {
	t.Helper()
	quoted := regexp.MustCompile(`"([^"]*)"`)
	n.Relocations = len(s.Accesses())
	for _, f := range s.Unsupported() {
		name := quoted.FindStringSubmatch(f.Where)[1]
		switch f.Kind {
		case object.FeatureStructOps:
			if strings.HasPrefix(f.Where, "section ") {
				n.StructOps = append(n.StructOps, name)
			}
		case object.FeatureSection, object.FeatureAddress: // what bpftool does not know of: TestUnknownSections, TestAddresses
		default:
			n.Others = append(n.Others, f.Kind+": "+f.Where)
		}
	}
	for _, e := range s.Externs() { // by name
		if e.Kind == "kernel option" {
			n.Kconfig = append(n.Kconfig, e.Name)
		} else {
			n.Ksyms = append(n.Ksyms, e.Name)
		}
	}
	return n
}

// countRelocations has llvm-objdump count the CO-RE relocations of each file. One run for all is much faster than one each.
func countRelocations(t testing.TB, files []string) map[string]int {
	t.Helper()
	count, file := make(map[string]int), ""
	for line := range strings.Lines(output(t, "llvm-objdump-19", append([]string{"-d", "-r"}, files...)...)) {
		if name, _, found := strings.Cut(line, ":\tfile format "); found {
			file = name
		}
		if strings.Contains(line, "  CO-RE <") {
			count[file]++
		}
	}
	return count
}

func needsByTools(file string) (n needs) {
	dump, err := osexec.Command("bpftool", "btf", "dump", "file", file).Output()
	if err != nil {
		return n // it has no BTF, or, on another machine's, none that bpftool reads
	}
	section, name := "", regexp.MustCompile(`\((?:VAR|FUNC) '(.*)'\)`)
	for line := range strings.Lines(string(dump)) {
		if _, after, found := strings.Cut(line, "] DATASEC '"); found {
			section, _, _ = strings.Cut(after, "'")
			if strings.HasPrefix(section, ".struct_ops") {
				n.StructOps = append(n.StructOps, section)
			}
		}
		member := name.FindStringSubmatch(line)
		switch {
		case member == nil:
		case section == ".kconfig":
			n.Kconfig = append(n.Kconfig, member[1])
		case section == ".ksyms":
			n.Ksyms = append(n.Ksyms, member[1])
		}
	}
	slices.Sort(n.Kconfig)
	slices.Sort(n.Ksyms)
	return n
}
