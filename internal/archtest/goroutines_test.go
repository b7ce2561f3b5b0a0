package archtest

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// goroutines lists the functions of the library that start goroutines. Each waits for them to end.
var goroutines = []string{
	"object.loadPrograms", // the verifier checks programs on several processors at once
	"sys.objAtThread",     // needs a thread of its own for a working directory of its own
}

var goroutineRules = []rule{{
	name:  "goroutines",
	check: each(checkGoroutines),
	samples: []sample{
		one("sys/a.go", "package sys\nfunc objAtThread() { go f() }"),
		one("object/a.go", "package object\nfunc (l *loader) loadPrograms() { group.Go(f) }"),
		one("link/a.go", "package link\nfunc f() {\ngroup.Go(f) }", "link/a.go:3: link.f starts a goroutine and is not in the list of those that do"),
		one("sys/a.go", "package sys\nfunc f() {\ngo f() }", "sys/a.go:3: sys.f starts a goroutine and is not in the list of those that do"),
		one("link/a.go", "package link\nfunc objAtThread() {\ngo f() }",
			"link/a.go:3: link.objAtThread starts a goroutine and is not in the list of those that do"),
		one("sys/a_test.go", "package sys\nfunc f() { go f() }"),
	},
}}

func checkGoroutines(f *file) (found []string) {
	if !f.isLibrary() {
		return nil
	}
	for _, start := range f.starts() {
		if name := f.dir() + "." + start.function; !slices.Contains(goroutines, name) {
			found = append(found, f.finding(start.at.Pos(), "%s starts a goroutine and is not in the list of those that do", name))
		}
	}
	return found
}

// A start is a place where a function starts a goroutine.
type start struct {
	function string
	at       ast.Node
}

// starts finds the go statements and the calls of sync.WaitGroup.Go.
func (f *file) starts() (starts []start) {
	function := ""
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			function = n.Name.Name
		case *ast.GoStmt:
			starts = append(starts, start{function, n})
		case *ast.CallExpr:
			if method, ok := n.Fun.(*ast.SelectorExpr); ok && method.Sel.Name == "Go" {
				starts = append(starts, start{function, n})
			}
		}
		return true
	})
	return starts
}

// TestGoroutinesExist keeps the list from naming what is gone.
func TestGoroutinesExist(t *testing.T) {
	tree, err := readTree("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, listed := range goroutines {
		dir, name, _ := strings.Cut(listed, ".")
		var starts []start
		for _, f := range tree[dir] {
			starts = append(starts, f.starts()...)
		}
		if !slices.ContainsFunc(starts, func(s start) bool { return s.function == name }) {
			t.Errorf("%s starts no goroutine: take it off the list", listed)
		}
	}
}
