package kernels

import (
	"fmt"
	"slices"
	"strings"
)

// newest is the name of the line that is the newest stable kernel of all suites.
const newest = "newest"

// A matrix is what tools/kernels says.
type matrix struct {
	lines  []line
	suites []string
	tools  string // the suite of the programs that a machine may lack
}

// A line is a family of kernels, as "6.12".
type line struct {
	name     string
	required bool
}

// parseMatrix reads the text of tools/kernels, which says what its lines mean.
func parseMatrix(text string) (*matrix, error) {
	m := new(matrix)
	for i, row := range strings.Split(text, "\n") {
		row, _, _ = strings.Cut(row, "#")
		words := strings.Fields(row)
		switch {
		case len(words) == 0:
		case words[0] == "suites":
			m.suites = append(m.suites, words[1:]...)
		case words[0] == "tools" && len(words) == 2:
			m.tools = words[1]
		case len(words) == 2 && isLine(words[0]) && (words[1] == "required" || words[1] == "wanted"):
			m.lines = append(m.lines, line{name: words[0], required: words[1] == "required"})
		default:
			return nil, fmt.Errorf("tools/kernels:%d: %q is none of: LINE required, LINE wanted, suites NAME…, tools NAME", i+1, strings.TrimSpace(row))
		}
	}
	if len(m.lines) == 0 || len(m.suites) == 0 || !slices.Contains(m.suites, m.tools) {
		return nil, fmt.Errorf("tools/kernels: it has %d lines and %d suites, and tools come from suite %q: want some of each, and tools from one of the suites",
			len(m.lines), len(m.suites), m.tools)
	}
	return m, nil
}

// isLine tells "6.12" and "newest".
func isLine(name string) bool {
	return name == newest || lineOf(name) == name && name != ""
}

// choose gives the lines that are named; all of the matrix for none and for "all". What is named is required.
func (m *matrix) choose(names []string) ([]line, error) {
	if len(names) == 0 || slices.Contains(names, "all") {
		return m.lines, nil
	}
	var chosen []line
	for _, name := range names {
		if !isLine(name) {
			return nil, fmt.Errorf("%q is no line of kernels: want one as 6.12, newest or all", name)
		}
		if l := (line{name: name, required: true}); !slices.Contains(chosen, l) {
			chosen = append(chosen, l)
		}
	}
	return chosen, nil
}
