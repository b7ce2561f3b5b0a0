package archtest

import (
	"go/ast"
	"go/token"
	"strings"
)

var variableRules = []rule{{
	name:  "package variables",
	check: each(checkVariables),
	samples: []sample{
		one("sys/a.go", "package sys\nimport \"errors\"\nvar ErrX = errors.New(``)\nvar names = [...]string{1: ``}\nfunc f() { var m map[int]int }"),
		one("sys/a.go", "package sys\nimport \"golang.org/x/sys/unix\"\nvar open = unix.Open", "sys/a.go:3: open is a variable that holds a function"),
		one("sys/a.go", "package sys\nimport \"golang.org/x/sys/unix\"\nvar errAgain = unix.EAGAIN"),
		one("sys/a.go", "package sys\nimport \"time\"\nvar now = time.Now", "sys/a.go:3: now is a variable that holds a function"),
		one("sys/a.go", "package sys\nvar f func()", "sys/a.go:2: f is a variable that holds a function"),
		one("sys/a.go", "package sys\nvar f = func() {}", "sys/a.go:2: f is a variable that holds a function"),
		one("sys/a.go", "package sys\nvar m map[int]int", "sys/a.go:2: m is a map that anyone can change: use a switch or an array"),
		one("sys/a.go", "package sys\nvar a, m = 1, map[int]int{}", "sys/a.go:2: m is a map that anyone can change: use a switch or an array"),
		one("sys/a.go", "package sys\nvar m = make(map[int]int)", "sys/a.go:2: m is a map that anyone can change: use a switch or an array"),
		one("sys/a.go", "package sys\nvar n = count()", "sys/a.go:2: n is computed when the program starts: use a constant or a function"),
		one("sys/a_test.go", "package sys\nvar m map[int]int"),
	},
}}

func checkVariables(f *file) (found []string) {
	if !f.isLibrary() {
		return nil
	}
	for _, decl := range f.syntax.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.VAR {
			continue
		}
		for _, spec := range group.Specs {
			found = append(found, f.checkVariable(spec.(*ast.ValueSpec))...)
		}
	}
	return found
}

func (f *file) checkVariable(spec *ast.ValueSpec) (found []string) {
	for i, name := range spec.Names {
		of := spec.Type
		if of == nil && i < len(spec.Values) {
			of = f.typeOf(spec.Values[i])
		}
		switch of.(type) {
		case *ast.FuncType:
			found = append(found, f.finding(name.Pos(), "%s is a variable that holds a function", name))
		case *ast.MapType:
			found = append(found, f.finding(name.Pos(), "%s is a map that anyone can change: use a switch or an array", name))
		default:
			if i < len(spec.Values) && f.isComputed(spec.Values[i]) {
				found = append(found, f.finding(name.Pos(), "%s is computed when the program starts: use a constant or a function", name))
			}
		}
	}
	return found
}

// isComputed tells a call; errors.New, which the compiler does itself, is none.
func (f *file) isComputed(value ast.Expr) bool {
	call, ok := value.(*ast.CallExpr)
	if !ok {
		return false
	}
	name, ok := f.isOf(call.Fun, "errors")
	return !ok || name != "New"
}

// typeOf gives the type of an expression as far as the syntax tells, else nil. Names of x/sys/unix and time that are not all capitals are taken for
// functions: the constants of the kernel are.
func (f *file) typeOf(value ast.Expr) ast.Expr {
	switch v := value.(type) {
	case *ast.FuncLit:
		return v.Type
	case *ast.CompositeLit:
		return v.Type
	case *ast.CallExpr:
		if name, ok := v.Fun.(*ast.Ident); ok && name.Name == "make" {
			return v.Args[0]
		}
	case *ast.SelectorExpr:
		for _, importPath := range []string{xsys, "time", "runtime", module + "/sys"} {
			if name, ok := f.isOf(v, importPath); ok && name != strings.ToUpper(name) {
				return &ast.FuncType{}
			}
		}
	}
	return nil
}
