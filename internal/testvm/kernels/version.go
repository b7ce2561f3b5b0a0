package kernels

import (
	"cmp"
	"strconv"
	"strings"
)

// lineOf gives the line of a kernel's release, version or line: "6.12" of "6.12.117+deb13-cloud-amd64". It is "" of what begins with no two numbers.
func lineOf(release string) string {
	major, rest, found := strings.Cut(release, ".")
	minor := rest[:len(rest)-len(strings.TrimLeft(rest, digits))]
	if !found || major == "" || minor == "" || strings.Trim(major, digits) != "" {
		return ""
	}
	return major + "." + minor
}

const digits = "0123456789"

// compareVersions orders the versions of Debian's packages, as deb-version(7) says.
func compareVersions(a, b string) int {
	epochA, a := cutEpoch(a)
	epochB, b := cutEpoch(b)
	upstreamA, revisionA := cutRevision(a)
	upstreamB, revisionB := cutRevision(b)
	return cmp.Or(cmp.Compare(epochA, epochB), compareParts(upstreamA, upstreamB), compareParts(revisionA, revisionB))
}

func cutEpoch(version string) (epoch int, rest string) {
	before, after, found := strings.Cut(version, ":")
	if !found {
		return 0, version
	}
	epoch, err := strconv.Atoi(before)
	if err != nil {
		return 0, version // apt lets none such in
	}
	return epoch, after
}

func cutRevision(version string) (upstream, revision string) {
	i := strings.LastIndexByte(version, '-')
	if i < 0 {
		return version, ""
	}
	return version[:i], version[i+1:]
}

// compareParts compares by turns what is no number, letter by letter, and what is one, by its value.
func compareParts(a, b string) int {
	for a != "" || b != "" {
		var textA, textB, numberA, numberB string
		textA, a = cutText(a)
		textB, b = cutText(b)
		numberA, a = cutNumber(a)
		numberB, b = cutNumber(b)
		order := cmp.Or(compareText(textA, textB), cmp.Compare(len(numberA), len(numberB)), strings.Compare(numberA, numberB))
		if order != 0 {
			return order
		}
	}
	return 0
}

func cutText(s string) (text, rest string) {
	i := strings.IndexAny(s, digits)
	if i < 0 {
		i = len(s)
	}
	return s[:i], s[i:]
}

// cutNumber gives a number without zeros in front, so that of two the longer is the greater.
func cutNumber(s string) (number, rest string) {
	rest = strings.TrimLeft(s, digits)
	return strings.TrimLeft(s[:len(s)-len(rest)], "0"), rest
}

// compareText orders a tilde before the end, the end before letters, and letters before all else.
func compareText(a, b string) int {
	for i := 0; i < len(a) || i < len(b); i++ {
		if order := cmp.Compare(rank(a, i), rank(b, i)); order != 0 {
			return order
		}
	}
	return 0
}

func rank(s string, i int) int {
	switch {
	case i >= len(s):
		return 0
	case s[i] == '~':
		return -1
	case 'a' <= s[i] && s[i] <= 'z' || 'A' <= s[i] && s[i] <= 'Z':
		return int(s[i])
	}
	return int(s[i]) + 256
}
