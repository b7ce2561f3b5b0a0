package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

const module = "github.com/pinion-bpf/pinion"

// A file is one parsed Go file of the module.
type file struct {
	path   string // from the top of the module, with slashes
	lines  int
	fset   *token.FileSet
	syntax *ast.File
}

func parse(path string, src []byte) (*file, error) {
	f := &file{path: path, lines: bytes.Count(src, []byte("\n")), fset: token.NewFileSet()}
	var err error
	f.syntax, err = parser.ParseFile(f.fset, path, src, parser.ParseComments|parser.SkipObjectResolution)
	return f, err
}

func (f *file) dir() string  { return path.Dir(f.path) }
func (f *file) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// isLibrary tells the files that end up in users' programs.
func (f *file) isLibrary() bool { return isLibrary(f.dir()) && !f.isTest() }

// isLibrary tells whether a folder is one that users' programs import, directly or not. What they import only if they want what it costs (object/configgz) is none, and the
// library must not import it.
func isLibrary(dir string) bool {
	for _, other := range []string{"cmd", "examples", "bench", "tools", "testdata", "internal/archtest", "internal/faults", "internal/sizes", "object/configgz"} {
		if dir == other || strings.HasPrefix(dir, other+"/") {
			return false
		}
	}
	return !strings.HasPrefix(dir, "internal/test")
}

// finding describes what is wrong at a place of the file.
func (f *file) finding(at token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", f.path, f.line(at), fmt.Sprintf(format, args...))
}

func (f *file) line(at token.Pos) int { return f.fset.Position(at).Line }

// localName gives the name under which the file imports a package, "" if it does not.
func (f *file) localName(importPath string) string {
	for _, spec := range f.syntax.Imports {
		if spec.Path.Value != `"`+importPath+`"` {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}

// isOf tells whether an expression is package.name of an imported package, and gives the name.
func (f *file) isOf(e ast.Node, importPath string) (name string, ok bool) {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	x, ok := sel.X.(*ast.Ident)
	return sel.Sel.Name, ok && x.Name == f.localName(importPath)
}

// readTree parses every Go file of the module, by folder.
func readTree(top string) (map[string][]*file, error) {
	tree := make(map[string][]*file)
	err := filepath.WalkDir(top, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return skipDir(top, name)
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(top, name)
		if err != nil {
			return err
		}
		f, err := parse(filepath.ToSlash(below), src)
		if err == nil {
			tree[f.dir()] = append(tree[f.dir()], f)
		}
		return err
	})
	return tree, err
}

// skipDir leaves out what is no part of the module: hidden folders and modules of their own.
func skipDir(top, name string) error {
	if name == top {
		return nil
	}
	if strings.HasPrefix(filepath.Base(name), ".") {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}
