package archtest

import (
	"go/ast"
	"go/doc"
	"path"
	"slices"
	"strings"
)

var docRules = []rule{{
	name:  "package comments",
	check: checkPackageComment,
	samples: []sample{
		one("sys/a.go", "// Package sys makes calls.\npackage sys"),
		one("sys/a.go", "package sys", `sys/a.go:1: package sys has no comment that begins "Package sys "`),
		one("sys/a.go", "// Here is sys.\npackage sys", `sys/a.go:2: package sys has no comment that begins "Package sys "`),
		one("examples/reader/a.go", "// Command reader reads.\npackage main"),
		one("examples/reader/a.go", "// Package main reads.\npackage main",
			`examples/reader/a.go:2: package main has no comment that begins "Command reader "`),
		{map[string]string{"sys/a.go": "// Package sys makes calls.\npackage sys", "sys/b.go": "// Package sys makes calls.\npackage sys"},
			[]string{"sys/b.go:2: package sys has a second package comment"}},
		{map[string]string{"sys/a.go": "// Package sys makes calls.\npackage sys", "sys/b.go": "package sys", "sys/b_test.go": "package sys"}, nil},
	},
}, {
	name:  "exported names",
	check: each(checkExported),
	samples: []sample{
		one("sys/a.go", "package sys\n// F does.\nfunc F() {}\n// A T is one.\ntype T int\n// M does.\nfunc (T) M() {}"),
		one("sys/a.go", "package sys\nfunc F() {}", `sys/a.go:2: F has no comment that begins with its name`),
		one("sys/a.go", "package sys\n// Frees it.\nfunc F() {}", `sys/a.go:3: F has no comment that begins with its name`),
		one("sys/a.go", "package sys\ntype t int\nfunc (*t) F() {}"),
		one("sys/a.go", "package sys\n// T is one.\ntype T[X any] int\nfunc (*T[X]) F() {}", `sys/a.go:4: F has no comment that begins with its name`),
		one("sys/a.go", "package sys\ntype (\nT int\n// U is one.\nU int)", `sys/a.go:3: T has no comment that begins with its name`),
		one("sys/a.go", "package sys\nconst A, b = 1, 2", `sys/a.go:2: A has no comment`),
		one("sys/a.go", "package sys\n// Two.\nconst (\nA = 1\nB = 2)\nvar (\nC = 1 // see\nD = 2\n)", `sys/a.go:8: D has no comment`),
		one("sys/a_test.go", "package sys\nfunc F() {}"),
		one("examples/reader/a.go", "package main\nfunc F() {}"),
	},
}, {
	name:  "examples",
	check: checkExamples,
	samples: []sample{
		{map[string]string{"sys/a.go": "package sys", "sys/a_test.go": "package sys\nfunc Example() {\nF()\n// Output: 1\n}"}, nil},
		{map[string]string{"sys/a.go": "package sys", "sys/a_test.go": "package sys\nfunc Example() {\nF()\n}"},
			[]string{"sys/a.go:1: sys has no example that runs: one with an Output comment"}},
		one("cmd/pinion/a.go", "package main", "cmd/pinion/a.go:1: cmd/pinion has no example that runs: one with an Output comment"),
		one("examples/reader/a.go", "package main"),
	},
}}

func checkPackageComment(files []*file) (found []string) {
	files = slices.DeleteFunc(slices.Clone(files), (*file).isTest)
	if len(files) == 0 {
		return nil
	}
	begin := "Package " + files[0].syntax.Name.Name + " "
	if begin == "Package main " {
		begin = "Command " + path.Base(files[0].dir()) + " "
	}
	documented := false
	for _, f := range files {
		switch {
		case f.syntax.Doc == nil:
		case documented:
			found = append(found, f.finding(f.syntax.Package, "package %s has a second package comment", f.syntax.Name))
		default:
			documented = strings.HasPrefix(f.syntax.Doc.Text(), begin)
		}
	}
	if !documented {
		found = append(found, files[0].finding(files[0].syntax.Package, "package %s has no comment that begins %q", files[0].syntax.Name, begin))
	}
	return found
}

func checkExported(f *file) (found []string) {
	if !f.isLibrary() {
		return nil
	}
	for _, decl := range f.syntax.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if receiver := receiverName(d); receiver == "" || ast.IsExported(receiver) {
				found = append(found, f.checkNamed(d.Name, d.Doc)...)
			}
		case *ast.GenDecl:
			found = append(found, f.checkDeclared(d)...)
		}
	}
	return found
}

// receiverName is the name of a method's type, "" of a function.
func receiverName(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	name := ""
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return name == ""
	})
	return name
}

// checkNamed wants a comment that begins with the name, as of functions and types.
func (f *file) checkNamed(name *ast.Ident, comment *ast.CommentGroup) []string {
	text := comment.Text()
	for _, article := range []string{"A ", "An ", "The "} {
		text = strings.TrimPrefix(text, article)
	}
	if !name.IsExported() || strings.HasPrefix(text, name.Name+" ") || strings.HasPrefix(text, name.Name+"\n") {
		return nil
	}
	return []string{f.finding(name.Pos(), "%s has no comment that begins with its name", name)}
}

// checkDeclared wants a comment for each type, and one for each constant and variable or for the group that it is in.
func (f *file) checkDeclared(d *ast.GenDecl) (found []string) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			comment := s.Doc
			if !d.Lparen.IsValid() {
				comment = d.Doc
			}
			found = append(found, f.checkNamed(s.Name, comment)...)
		case *ast.ValueSpec:
			if d.Doc != nil || s.Doc != nil || s.Comment != nil {
				continue
			}
			if i := slices.IndexFunc(s.Names, (*ast.Ident).IsExported); i >= 0 {
				found = append(found, f.finding(s.Names[i].Pos(), "%s has no comment", s.Names[i]))
			}
		}
	}
	return found
}

func checkExamples(files []*file) []string {
	dir := files[0].dir()
	if !isLibrary(dir) && !strings.HasPrefix(dir, "cmd/") {
		return nil
	}
	var tests []*ast.File
	for _, f := range files {
		if f.isTest() {
			tests = append(tests, f.syntax)
		}
	}
	for _, example := range doc.Examples(tests...) {
		if example.Output != "" || example.EmptyOutput {
			return nil
		}
	}
	return []string{files[0].finding(files[0].syntax.Package, "%s has no example that runs: one with an Output comment", dir)}
}
