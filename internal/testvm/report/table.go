package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// grid is the table of a matrix before it is laid out: a line of heads, a line for each package and for tests.
type grid struct {
	head  []string
	rows  []row
	notes []string // reasons, by the number that cells name, from 1 on
}

type row struct {
	test  bool // and not a package
	cells []string
}

// grid makes the table. Tests that passed everywhere are left out unless all are wanted.
func (m *Matrix) grid(all bool) *grid {
	g := &grid{head: []string{"package, test"}}
	for _, c := range m.Columns {
		g.head = append(g.head, c.Line)
	}
	for _, name := range m.Packages {
		cells := []string{name}
		for i := range m.Columns {
			cells = append(cells, m.Columns[i].result(name).Summary())
		}
		g.rows = append(g.rows, row{cells: cells})
		for _, test := range m.testNames(name) {
			if cells, dull := g.testCells(m, name, test); all || !dull {
				g.rows = append(g.rows, row{test: true, cells: cells})
			}
		}
	}
	return g
}

// WriteLogs writes what each test wrote that passed. What failed, [Matrix.WriteDetails] tells.
func (m *Matrix) WriteLogs(to io.Writer) error {
	for _, c := range m.Columns {
		for _, r := range c.Results {
			for _, t := range r.Tests {
				if t.Status != Pass || t.Output == "" {
					continue
				}
				if _, err := fmt.Fprintf(to, "--- %s %s %s\n%s", c.Line, r.Package, t.Name, t.Output); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// testCells gives a test's line, and whether it tells nothing but that all is well.
func (g *grid) testCells(m *Matrix, name, test string) (cells []string, dull bool) {
	cells, dull = []string{test}, true
	for i := range m.Columns {
		t := m.Columns[i].result(name).test(test)
		switch {
		case t == nil:
			cells = append(cells, "-")
		case t.Status == Pass:
			cells = append(cells, string(Pass))
		case t.Reason == "":
			dull = false
			cells = append(cells, t.word())
		default:
			dull = false
			cells = append(cells, fmt.Sprintf("%s [%d]", t.word(), g.note(t.Reason)))
		}
	}
	return cells, dull
}

func (t *Test) word() string {
	if t.Status == Fail {
		return "FAIL"
	}
	return string(t.Status)
}

// note numbers a reason.
func (g *grid) note(reason string) int {
	i := slices.Index(g.notes, reason)
	if i < 0 {
		i = len(g.notes)
		g.notes = append(g.notes, reason)
	}
	return i + 1
}

// Summary is a package on a kernel, in a cell.
func (r *Result) Summary() string {
	if r == nil {
		return "NOT RUN"
	}
	var parts []string
	for _, p := range r.Problems {
		if part := strings.ToUpper(string(p.Kind)); !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	for _, c := range []struct {
		status Status
		word   string
	}{{Fail, "FAIL"}, {Pass, "pass"}, {Skip, "skip"}} {
		if n := r.count(c.status); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, c.word))
		}
	}
	if len(parts) == 0 {
		return "no tests"
	}
	return strings.Join(parts, ", ")
}

// WriteTable writes the table as text: packages and tests down, kernels across, reasons below. Tests that passed everywhere are left out
// unless all are wanted.
func (m *Matrix) WriteTable(to io.Writer, all bool) error {
	g := m.grid(all)
	widths := make([]int, len(g.head))
	for _, r := range append(g.rows, row{cells: g.head}) {
		for i, cell := range r.cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell)+r.indent(i))
		}
	}
	var b strings.Builder
	for _, r := range append([]row{{cells: g.head}}, g.rows...) {
		line := ""
		for i, cell := range r.cells {
			cell = strings.Repeat(" ", r.indent(i)) + cell
			line += cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	for i, note := range g.notes {
		fmt.Fprintf(&b, "[%d] %s\n", i+1, note)
	}
	_, err := io.WriteString(to, b.String())
	return err
}

// indent sets the names of tests off from those of packages.
func (r row) indent(column int) int {
	if r.test && column == 0 {
		return 2
	}
	return 0
}

// WriteDetails writes what failed in full: the last words of kernels and binaries, and the output of tests.
func (m *Matrix) WriteDetails(to io.Writer) error {
	var b strings.Builder
	for i := range m.Columns {
		for _, f := range m.Columns[i].failures() {
			fmt.Fprintf(&b, "--- %v\n", f)
			if words := Tail(f.Words, 60); words != "" {
				fmt.Fprintf(&b, "    %s\n", strings.ReplaceAll(words, "\n", "\n    "))
			}
		}
	}
	_, err := io.WriteString(to, b.String())
	return err
}

// WriteMarkdown writes the table, what failed and what was left to the host as Markdown.
func (m *Matrix) WriteMarkdown(to io.Writer, failures []error) error {
	g := m.grid(false)
	var b strings.Builder
	writeRow := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	writeRow(escaped(g.head))
	b.WriteString(strings.Repeat("|---", len(g.head)) + "|\n")
	for _, r := range g.rows {
		cells := escaped(r.cells)
		if r.test {
			cells[0] = "&nbsp;&nbsp;" + cells[0]
		} else {
			cells[0] = "**" + cells[0] + "**"
		}
		writeRow(cells)
	}
	for i, note := range g.notes {
		fmt.Fprintf(&b, "%s\\[%d] %s\n", paragraph(i), i+1, escape(note))
	}
	if len(failures) > 0 {
		fmt.Fprintf(&b, "\n**%d failures**\n\n", len(failures))
		for _, err := range failures {
			fmt.Fprintf(&b, "- %s\n", escape(err.Error()))
		}
	}
	if host := m.HostOnly(); len(host) > 0 {
		b.WriteString("\n**Left to the host**\n\n")
		for _, finding := range host {
			fmt.Fprintf(&b, "- %s\n", escape(finding.Error()))
		}
	}
	_, err := io.WriteString(to, b.String())
	return err
}

// paragraph begins a line after a table: notes are lines of one paragraph.
func paragraph(i int) string {
	if i == 0 {
		return "\n"
	}
	return "<br>"
}

func escaped(cells []string) (all []string) {
	for _, cell := range cells {
		all = append(all, escape(cell))
	}
	return all
}

// escape keeps Markdown from taking a text for more than it is.
func escape(text string) string {
	text = strings.NewReplacer("\\", `\\`, "|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`).Replace(text)
	return strings.Join(strings.Fields(text), " ")
}
