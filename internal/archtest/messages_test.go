package archtest

import (
	"go/ast"
	"go/token"
	"strconv"
	"strings"
)

var messageRules = []rule{{
	name:  "messages",
	check: each(checkForms),
	samples: []sample{
		one("elf/a.go", `package elf; var a = text.Form("{} of {}").Int(1).Quote(b).String()`),
		one("elf/a.go", `package elf; var a = text.Form("none").String()`),
		one("elf/a.go", `package elf; var a = text.Form("{} of {}").Int(1).String()`, "elf/a.go:1: a form of 2 gaps is filled with 1"),
		one("elf/a.go", `package elf; var a = f(text.Form("{").Int(1).Add(c).String())`, "elf/a.go:1: a form of 0 gaps is filled with 2"),
		one("elf/a.go", `package elf; var a = text.Form(b).Int(1).String()`, "elf/a.go:1: a form must be a literal, so that its gaps can be counted"),
	},
}}

// checkForms counts what the compiler cannot: the gaps of each form that package text gets, and what they are filled with.
func checkForms(f *file) (found []string) {
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		filled := -1 // the call of String is none
		for call, method := method(n); call != nil; call, method = methodOf(call) {
			if method != "Form" {
				filled++
				continue
			}
			if form, ok := call.Args[0].(*ast.BasicLit); !ok || form.Kind != token.STRING {
				found = append(found, f.finding(call.Pos(), "a form must be a literal, so that its gaps can be counted"))
			} else if gaps := gapsOf(form.Value); gaps != filled {
				found = append(found, f.finding(call.Pos(), "a form of %d gaps is filled with %d", gaps, filled))
			}
			break
		}
		return true
	})
	return found
}

// method gives the call of String that ends a chain.
func method(n ast.Node) (*ast.CallExpr, string) {
	call, ok := n.(*ast.CallExpr)
	if !ok || name(call) != "String" {
		return nil, ""
	}
	return call, "String"
}

// methodOf gives the call before one in a chain of calls.
func methodOf(call *ast.CallExpr) (*ast.CallExpr, string) {
	before, ok := call.Fun.(*ast.SelectorExpr).X.(*ast.CallExpr)
	if !ok || name(before) == "" {
		return nil, ""
	}
	return before, name(before)
}

// name gives the name of the method or of another package's function that is called, "" for other calls.
func name(call *ast.CallExpr) string {
	if selector, ok := call.Fun.(*ast.SelectorExpr); ok {
		return selector.Sel.Name
	}
	return ""
}

func gapsOf(literal string) int {
	form, err := strconv.Unquote(literal)
	if err != nil {
		return -1
	}
	return strings.Count(form, "{}")
}
