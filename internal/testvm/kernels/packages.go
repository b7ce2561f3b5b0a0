package kernels

import (
	"bufio"
	"cmp"
	"io"
	"regexp"
	"slices"
	"strings"
)

// A pkg is a binary package that the archive has, as its index describes it.
type pkg struct {
	name, version string
	depends       string
	url           string // where it is
	sha256        string
	suite         string
}

// String names it as apt does.
func (p pkg) String() string { return p.name + "=" + p.version }

// parseIndex reads a Packages file of a suite and gives the packages that keep tells by name. base is the address that the files' names continue.
func parseIndex(r io.Reader, suite, base string, keep func(name string) bool) ([]pkg, error) {
	var found []pkg
	var p pkg
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20) // a package's dependencies are one line
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "Package":
			p = pkg{name: value, suite: suite}
		case "Version":
			p.version = value
		case "Depends":
			p.depends = value
		case "SHA256":
			p.sha256 = value
		case "Filename":
			p.url = strings.TrimRight(base, "/") + "/" + value
		case "":
			found = appendIf(found, p, keep)
			p = pkg{}
		}
	}
	return appendIf(found, p, keep), lines.Err()
}

// appendIf adds a package that is wanted and whole: without a hash it could not be checked.
func appendIf(found []pkg, p pkg, keep func(string) bool) []pkg {
	if p.name == "" || p.version == "" || p.url == "" || p.sha256 == "" || !keep(p.name) {
		return found
	}
	return append(found, p)
}

// isKernelPackage tells the packages that hold a kernel or a part of one.
func isKernelPackage(name string) bool {
	for _, part := range []string{"linux-image-", "linux-base-", "linux-binary-", "linux-modules-"} {
		if rest, ok := strings.CutPrefix(name, part); ok {
			return lineOf(strings.TrimPrefix(rest, "unsigned-")) != "" && !strings.HasSuffix(name, "-dbg")
		}
	}
	return false
}

// A candidate is a kernel that the archive says to have.
type candidate struct {
	release string
	version string // of the image's package
	cloud   bool
	// sets are the packages that make up the kernel, signed and unsigned: either does.
	sets [][]pkg
}

// stable matches what Debian calls a kernel that is no release candidate, without the flavour. "6.1" alone is no kernel but a package that depends on the
// newest of the line.
const stable = `(\d+\.\d+(?:\.\d+)?(?:\+[0-9a-z.+~]+|-\d[0-9a-z.+~]*)?)`

// candidates gives the kernels among packages, the best first: the small flavour for virtual machines before the generic one, then the newest.
func candidates(packages []pkg, arch string) []candidate {
	image := regexp.MustCompile(`^linux-image-` + stable + `(-cloud)?-` + regexp.QuoteMeta(arch) + `(-unsigned)?$`)
	var found []candidate
	for _, p := range packages {
		m := image.FindStringSubmatch(p.name)
		if m == nil || m[1] == lineOf(m[1]) {
			continue
		}
		c := candidate{release: m[1] + m[2] + "-" + arch, version: p.version, cloud: m[2] != ""}
		i := slices.IndexFunc(found, func(other candidate) bool { return other.release == c.release && other.version == c.version })
		if i < 0 {
			i = len(found)
			found = append(found, c)
		}
		found[i].add(p, packages)
	}
	for i := range found {
		slices.SortStableFunc(found[i].sets, func(a, b []pkg) int { return cmp.Compare(unsigned(a), unsigned(b)) })
	}
	slices.SortStableFunc(found, func(a, b candidate) int {
		return cmp.Or(-cmp.Compare(number(a.cloud), number(b.cloud)), -compareVersions(a.version, b.version))
	})
	return found
}

// add completes the image's package with those that it is split into, in each way that there is.
func (c *candidate) add(image pkg, packages []pkg) {
	set := complete(image, packages)
	c.sets = append(c.sets, set)
	other := slices.Clone(set)
	for i, p := range other {
		rest, isBinary := strings.CutPrefix(p.name, "linux-binary-")
		if alternative := find(packages, "linux-binary-unsigned-"+rest, p.version); isBinary && alternative != nil {
			other[i] = *alternative
			c.sets = append(c.sets, other)
			return
		}
	}
}

// unsigned counts the packages without the signature for secure boot. They are as good for tests, and appear sooner.
func unsigned(set []pkg) (n int) {
	for _, p := range set {
		n += number(strings.Contains(p.name, "-unsigned"))
	}
	return n
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// complete gives an image's package with those parts of the kernel that it depends on, directly or not. A part that the archive has lost is left
// out: whether the kernel is whole shows when it is unpacked. That of the images of Linux 6.18 is, without the package linux-base.
func complete(image pkg, packages []pkg) []pkg {
	set := []pkg{image}
	for i := 0; i < len(set); i++ {
		for _, clause := range strings.Split(set[i].depends, ",") {
			if part := choose(clause, packages); part != nil && !slices.Contains(set, *part) {
				set = append(set, *part)
			}
		}
	}
	return set
}

var dependency = regexp.MustCompile(`^([a-z0-9][a-z0-9.+~-]*)(?::\w+)?(?:\s*\(=\s*([^)\s]+)\s*\))?`)

// choose gives the first package of a dependency ("a (= 1) | b") that is a part of a kernel and there, else nil.
func choose(clause string, packages []pkg) *pkg {
	for _, alternative := range strings.Split(clause, "|") {
		m := dependency.FindStringSubmatch(strings.TrimSpace(alternative))
		if m == nil || !isKernelPackage(m[1]) {
			continue
		}
		if p := find(packages, m[1], m[2]); p != nil {
			return p
		}
	}
	return nil
}

// find gives a package by name and version; the newest if version is "", nil if there is none.
func find(packages []pkg, name, version string) (best *pkg) {
	for i, p := range packages {
		if p.name == name && (version == "" || p.version == version) && (best == nil || compareVersions(p.version, best.version) > 0) {
			best = &packages[i]
		}
	}
	return best
}
