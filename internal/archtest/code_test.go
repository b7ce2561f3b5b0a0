package archtest

import (
	"go/ast"
	"path"
	"slices"
	"strings"
)

var codeRules = []rule{{
	name:  "no init",
	check: each(checkInit),
	samples: []sample{
		one("sys/a.go", "package sys\nfunc init() {}", "sys/a.go:2: the library has no init functions"),
		one("sys/a.go", "package sys\nfunc (t) init() {}"),
	},
}, {
	name:  "skips",
	check: each(checkSkip),
	samples: []sample{
		one("sys/a_test.go", "package sys\nfunc f(t *testing.T) {\nt.Skip()\n}", "sys/a_test.go:3: only internal/testenv skips tests: use testenv.Kernel"),
		one("sys/a_test.go", "package sys\nfunc f(b *testing.B) {\nb.Skipf(``)\n}", "sys/a_test.go:3: only internal/testenv skips tests: use testenv.Kernel"),
		one("internal/testenv/a.go", "package testenv\nfunc f(t testing.TB) {\nt.SkipNow()\n}"),
		one("pinning/a_test.go", "package pinning\nvar x = o.Skip"),
	},
}, {
	name:  "functions out of bounds",
	check: each(checkFunctions),
	samples: []sample{
		one("sys/a.go", "package sys\nimport `runtime`\nvar a = runtime.NumCPU()"),
		one("sys/a.go", "package sys\nimport \"runtime\"\nfunc f() { runtime.SetFinalizer(a, b) }",
			"sys/a.go:3: runtime.SetFinalizer is not for the library: closing is an act"),
		one("sys/a.go", "package sys\nimport \"runtime\"\nfunc f() { runtime.AddCleanup(a, b, c) }",
			"sys/a.go:3: runtime.AddCleanup is not for the library: closing is an act"),
		one("sys/a.go", "package sys\nimport \"golang.org/x/sys/unix\"\nfunc f() { unix.Getenv(a) }",
			"sys/a.go:3: unix.Getenv is not for the library: it does not read the environment"),
		one("sys/a.go", "package sys\nimport \"os\"\nfunc f() { os.LookupEnv(a) }",
			"sys/a.go:3: os.LookupEnv is not for the library: it does not read the environment"),
		one("cmd/pinion/a.go", "package main\nimport \"os\"\nfunc f() { os.Getenv(a) }"),
		one("elf/a.go", "package elf\nimport \"encoding/binary\"\nvar o binary.ByteOrder = binary.BigEndian"),
		one("elf/a.go", "package elf\nimport \"encoding/binary\"\nfunc f() { binary.Read(a, b, c) }",
			"elf/a.go:3: binary.Read is not for the library: of encoding/binary it uses the byte orders"),
		one("elf/a.go", "package elf\nimport b \"encoding/binary\"\nfunc f() { b.Size(a) }",
			"elf/a.go:3: binary.Size is not for the library: of encoding/binary it uses the byte orders"),
	},
}, {
	name:  "bpf(2) in sys",
	check: each(checkSystemCall),
	samples: []sample{
		one("sys/a.go", "package sys\nimport \"golang.org/x/sys/unix\"\nvar n = unix.SYS_BPF"),
		one("link/a.go", "package link\nimport \"golang.org/x/sys/unix\"\nvar n uint = unix.SYS_BPF", "link/a.go:3: only sys makes the bpf system call"),
		one("internal/faults/a.go", "package faults\nimport \"golang.org/x/sys/unix\"\nvar n = unix.SYS_BPF"),
		one("examples/reader_bare/a.go", "package main\nimport \"golang.org/x/sys/unix\"\nvar n = unix.SYS_BPF"),
	},
}, {
	name:  "comments",
	check: each(checkComments),
	samples: []sample{
		one("sys/a.go", "package sys // plain"),
		one("sys/a.go", "package sys // TO"+"DO: more", "sys/a.go:1: a comment promises work: do it, or leave it out"),
	},
}}

func checkInit(f *file) (found []string) {
	for _, decl := range f.syntax.Decls {
		function, ok := decl.(*ast.FuncDecl)
		if ok && f.isLibrary() && function.Recv == nil && function.Name.Name == "init" {
			found = append(found, f.finding(function.Pos(), "the library has no init functions"))
		}
	}
	return found
}

func checkSkip(f *file) (found []string) {
	if f.dir() == "internal/testenv" {
		return nil
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, method.Sel.Name) {
			found = append(found, f.finding(call.Pos(), "only internal/testenv skips tests: use testenv.Kernel"))
		}
		return true
	})
	return found
}

// outOfBounds says why the library must not use a name of a package, "" if it may.
func outOfBounds(importPath, name string) string {
	switch {
	case importPath == "runtime" && (name == "SetFinalizer" || name == "AddCleanup"):
		return "closing is an act"
	case slices.Contains([]string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}, name):
		return "it does not read the environment"
	case importPath == "encoding/binary" && !strings.HasSuffix(name, "Endian") && !strings.HasSuffix(name, "ByteOrder"):
		return "of encoding/binary it uses the byte orders"
	}
	return ""
}

func checkFunctions(f *file) (found []string) {
	if !f.isLibrary() {
		return nil
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		for _, importPath := range []string{"runtime", "os", "syscall", xsys, "encoding/binary"} {
			name, ok := f.isOf(n, importPath)
			if why := outOfBounds(importPath, name); ok && why != "" {
				found = append(found, f.finding(n.Pos(), "%s.%s is not for the library: %s", path.Base(importPath), name, why))
			}
		}
		return true
	})
	return found
}

// checkSystemCall lets internal/faults and internal/testenv have the number too: they look for the call in other processes, and forbid it.
func checkSystemCall(f *file) (found []string) {
	if slices.Contains([]string{"sys", "examples/reader_bare", "internal/faults", "internal/testenv"}, f.dir()) {
		return nil
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if name, ok := f.isOf(n, xsys); ok && name == "SYS_BPF" {
			found = append(found, f.finding(n.Pos(), "only sys makes the bpf system call"))
		}
		return true
	})
	return found
}

func checkComments(f *file) (found []string) {
	for _, group := range f.syntax.Comments {
		for _, word := range []string{"TO" + "DO", "FIX" + "ME", "XX" + "X"} {
			if strings.Contains(group.Text(), word) {
				found = append(found, f.finding(group.Pos(), "a comment promises work: do it, or leave it out"))
			}
		}
	}
	return found
}
