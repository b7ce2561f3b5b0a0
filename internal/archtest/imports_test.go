package archtest

import (
	"slices"
	"strconv"
	"strings"
)

// layers tells what of the module each folder of the library may import. What stands here is all there is: a new folder needs a place. Folders for tests
// alone, such as internal/testenv and internal/faults, are not of the library (isLibrary), and import what they like.
var layers = map[string][]string{
	"elf":             {"internal/text"},
	"internal/btf":    {"internal/order", "internal/text"},
	"internal/order":  {},
	"internal/sha256": {},
	"internal/text":   {},
	"sys":             {"internal/text"},
	"sys/feature":     {"sys"},
	"link":            {"internal/text", "sys"},
	"object":          {"elf", "internal/btf", "internal/order", "internal/sha256", "internal/text", "link", "sys"},
	"pinning":         {"internal/order", "internal/text", "link", "object", "sys"},
}

// allowed lists the standard library's packages that the library imports itself. Each of the others costs a static agent tens to hundreds
// of kilobytes. sync/atomic is there for sys.FD, whose Close may come twice, and at once.
var allowed = []string{
	"bytes", "encoding/binary", "errors", "iter", "maps", "math/bits", "runtime", "slices", "strconv", "strings", "structs", "sync",
	"sync/atomic", "time", "unsafe",
}

const xsys = "golang.org/x/sys/unix"

// pure lists the folders that build on any system.
var pure = []string{"elf", "internal/btf", "internal/order", "internal/sha256", "internal/text"}

// mayImport tells whether a folder may import a package of another module. Its tests may import any of these.
func mayImport(dir, imported string) (known, may bool) {
	switch imported {
	case xsys:
		return true, !slices.Contains(pure, dir)
	case "github.com/google/go-cmp/cmp", "github.com/google/go-cmp/cmp/cmpopts":
		return true, false
	case "github.com/hashicorp/go-multierror":
		return true, strings.HasPrefix(dir, "cmd/") || dir == "internal/testvm"
	}
	return false, false
}

var importRules = []rule{{
	name:  "imports",
	check: each(checkImports),
	samples: []sample{
		one("sys/a.go", `package sys; import ("errors"; "unsafe"; "golang.org/x/sys/unix")`),
		one("sys/a.go", `package sys; import "fmt"`, `sys/a.go:1: imports "fmt", which the library does not`),
		one("sys/a_test.go", `package sys; import "fmt"`),
		one("cmd/pinion/a.go", `package main; import "fmt"`),
		one("link/a.go", `package link; import "github.com/pinion-bpf/pinion/sys"`),
		one("sys/a.go", `package sys; import "github.com/pinion-bpf/pinion/link"`, `sys/a.go:1: sys imports link: the wrong way`),
		one("object/a.go", `package object; import "github.com/pinion-bpf/pinion/pinning"`,
			`object/a.go:1: object imports pinning: the wrong way`),
		one("elf/a.go", `package elf; import "github.com/pinion-bpf/pinion/sys"`, `elf/a.go:1: elf imports sys: the wrong way`),
		one("link/a.go", `package link; import "github.com/pinion-bpf/pinion/internal/testenv"`,
			`link/a.go:1: link imports internal/testenv: the wrong way`),
		one("new/a.go", `package new; import "errors"`, `new/a.go:1: folder new has no place in layers`),
		one("object/a.go", `package object; import "github.com/hashicorp/go-multierror"`,
			`object/a.go:1: imports "github.com/hashicorp/go-multierror", which has no place here`),
		one("elf/a.go", `package elf; import "golang.org/x/sys/unix"`, `elf/a.go:1: imports "golang.org/x/sys/unix", which has no place here`),
		one("cmd/pinion/a.go", `package main; import "github.com/hashicorp/go-multierror"`),
		one("elf/a_test.go", `package elf; import "github.com/google/go-cmp/cmp"`),
		one("elf/a_test.go", `package elf; import "github.com/cilium/ebpf"`, `elf/a_test.go:1: imports "github.com/cilium/ebpf", which has no place here`),
	},
}}

func checkImports(f *file) (found []string) {
	if f.isLibrary() && layers[f.dir()] == nil {
		return []string{f.finding(f.syntax.Name.Pos(), "folder %s has no place in layers", f.dir())}
	}
	for _, spec := range f.syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has refused it
		}
		if wrong := f.refuses(imported); wrong != "" {
			found = append(found, f.finding(spec.Pos(), "%s", wrong))
		}
	}
	return found
}

// refuses says why the file must not import a package, "" if it may.
func (f *file) refuses(imported string) string {
	first, _, _ := strings.Cut(imported, "/")
	ours, isOurs := strings.CutPrefix(imported, module+"/")
	switch {
	case isOurs:
		if f.isLibrary() && !slices.Contains(layers[f.dir()], ours) {
			return f.dir() + " imports " + ours + ": the wrong way"
		}
	case strings.Contains(first, "."):
		if known, may := mayImport(f.dir(), imported); !may && !(known && f.isTest()) {
			return "imports " + strconv.Quote(imported) + ", which has no place here"
		}
	case f.isLibrary() && !slices.Contains(allowed, imported):
		return "imports " + strconv.Quote(imported) + ", which the library does not"
	}
	return ""
}
