package archtest

import (
	"go/ast"
	"strings"
)

// The most lines that a file and a function have, tests included.
const (
	maxFile     = 500
	maxFunction = 60
)

var lengthRules = []rule{{
	name:  "file length",
	check: each(checkFileLength),
	samples: []sample{
		one("sys/a.go", "package sys\n"+strings.Repeat("\n", maxFile-1)),
		one("sys/a.go", "package sys\n"+strings.Repeat("\n", maxFile), "sys/a.go:1: file has 501 lines, want at most 500"),
		one("sys/a_test.go", "package sys\n"+strings.Repeat("\n", 999), "sys/a_test.go:1: file has 1000 lines, want at most 500"),
	},
}, {
	name:  "function length",
	check: each(checkFunctionLength),
	samples: []sample{
		one("sys/a.go", "package sys\nfunc f() {"+strings.Repeat("\n", maxFunction-1)+"}"),
		one("sys/a.go", "package sys\nfunc f() {"+strings.Repeat("\n", maxFunction)+"}", "sys/a.go:2: f has 61 lines, want at most 60"),
		one("sys/a_test.go", "package sys\nfunc (t) f() {"+strings.Repeat("\n", 99)+"}", "sys/a_test.go:2: f has 100 lines, want at most 60"),
	},
}}

func checkFileLength(f *file) []string {
	if f.lines <= maxFile {
		return nil
	}
	return []string{f.finding(f.syntax.Package, "file has %d lines, want at most %d", f.lines, maxFile)}
}

func checkFunctionLength(f *file) (found []string) {
	for _, decl := range f.syntax.Decls {
		function, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if lines := f.line(function.End()) - f.line(function.Pos()) + 1; lines > maxFunction {
			found = append(found, f.finding(function.Pos(), "%s has %d lines, want at most %d", function.Name.Name, lines, maxFunction))
		}
	}
	return found
}
