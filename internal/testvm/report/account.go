package report

import (
	"fmt"
	"slices"
	"strings"
)

// OnHost begins the reason of a skip in a machine where the test is meant for the host only. Such a skip needs no kernel of the matrix to make up
// for it: the tests ran elsewhere.
const OnHost = "only on the host:"

// A Finding is something that ran nowhere, or not where it had to.
type Finding struct {
	Package string
	Test    string // "" for a whole package
	Text    string
}

func (f Finding) Error() string {
	if f.Test == "" {
		return f.Package + ": " + f.Text
	}
	return f.Package + " " + f.Test + ": " + f.Text
}

// Whole tells whether the matrix has its newest kernel. Without it, a skip says nothing: a newer kernel would have run the test.
func (m *Matrix) Whole() bool {
	return slices.ContainsFunc(m.Columns, func(c Column) bool { return c.Newest })
}

// Account finds what a green matrix would hide. With the newest kernel in the matrix, a test must not be skipped there, and some kernel must have
// run it. In any matrix, some kernel must have run a package's tests, and some package must have some. Skips that begin with [OnHost] are left out.
func (m *Matrix) Account() (found []Finding) {
	ran := false
	for _, name := range m.Packages {
		tests := m.testNames(name)
		ran = ran || len(tests) > 0
		if reasons, all := m.allSkipped(name, tests); all {
			found = append(found, Finding{name, "", "every test was skipped on every kernel: " + reasons})
			continue
		}
		if !m.Whole() {
			continue
		}
		for _, test := range tests {
			if text := m.accountTest(name, test); text != "" {
				found = append(found, Finding{name, test, text})
			}
		}
	}
	if !ran && len(m.Packages) > 0 && !m.failed() {
		found = append(found, Finding{"all packages", "", "there is no test to run"})
	}
	return found
}

// HostOnly gives the tests that were skipped in the machines since they are for the host, in order.
func (m *Matrix) HostOnly() (found []Finding) {
	for _, name := range m.Packages {
		for _, test := range m.testNames(name) {
			for _, cell := range m.cells(name, test) {
				if cell.test.forHost() {
					found = append(found, Finding{name, test, cell.test.Reason})
					break
				}
			}
		}
	}
	return found
}

// A cell is one test on one kernel.
type cell struct {
	column *Column
	test   *Test
}

// cells gives a test on the kernels that know it.
func (m *Matrix) cells(name, test string) (cells []cell) {
	for i := range m.Columns {
		if t := m.Columns[i].result(name).test(test); t != nil {
			cells = append(cells, cell{&m.Columns[i], t})
		}
	}
	return cells
}

// accountTest says what is wrong with a test's skips, "" if nothing is.
func (m *Matrix) accountTest(name, test string) string {
	var reasons []string
	ran, onNewest := false, ""
	for _, c := range m.cells(name, test) {
		switch {
		case c.test.Status != Skip:
			ran = true
		case c.test.forHost():
			return ""
		default:
			reasons = append(reasons, c.column.Line+": "+c.test.Reason)
			if c.column.Newest {
				onNewest = c.column.Line + ": " + c.test.Reason
			}
		}
	}
	switch {
	case !ran && len(reasons) > 0:
		return "no kernel ran it: " + strings.Join(reasons, "; ")
	case onNewest != "":
		return "skipped on the newest kernel: " + onNewest
	}
	return ""
}

// allSkipped tells whether a package has tests and no kernel ran any of them, and gives the reasons.
func (m *Matrix) allSkipped(name string, tests []string) (reasons string, all bool) {
	var different []string
	for _, test := range tests {
		for _, c := range m.cells(name, test) {
			if c.test.Status != Skip || c.test.forHost() {
				return "", false
			}
			if !slices.Contains(different, c.test.Reason) {
				different = append(different, c.test.Reason)
			}
		}
	}
	return strings.Join(different, "; "), len(different) > 0
}

func (t *Test) forHost() bool { return t.Status == Skip && strings.HasPrefix(t.Reason, OnHost) }

// testNames gives the names of all tests that a package has on any kernel, subtests after their tests.
func (m *Matrix) testNames(name string) (names []string) {
	seen := make(map[string]bool)
	for i := range m.Columns {
		result := m.Columns[i].result(name)
		if result == nil {
			continue
		}
		for _, t := range result.Tests {
			if !seen[t.Name] {
				seen[t.Name] = true
				names = append(names, t.Name)
			}
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/"))
	})
	return names
}

func (m *Matrix) failed() bool {
	return slices.ContainsFunc(m.Columns, func(c Column) bool { return len(c.Errors()) > 0 })
}

// Missing gives one error for each package that a kernel should have run and has no result of.
func (m *Matrix) Missing() (all []error) {
	for _, c := range m.Columns {
		for _, name := range m.Packages {
			if c.result(name) == nil {
				all = append(all, fmt.Errorf("%s %s: was not run", c.Line, name))
			}
		}
	}
	return all
}

func isTop(test string) bool { return !strings.Contains(test, "/") }
