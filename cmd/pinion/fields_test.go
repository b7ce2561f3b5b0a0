package main

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/pinion-bpf/pinion/internal/testenv"
)

// fieldNames gives the names of all JSON fields of a type and of what is in it.
func fieldNames(of reflect.Type) (names []string) {
	switch of.Kind() {
	case reflect.Slice, reflect.Pointer:
		return fieldNames(of.Elem())
	case reflect.Struct:
	default:
		return nil
	}
	for i := range of.NumField() {
		field := of.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "" {
			names = append(names, name)
		}
		if field.Type.Kind() == reflect.Pointer && field.Type.Elem() == of {
			continue // a map's inner map
		}
		names = append(names, fieldNames(field.Type)...)
	}
	return names
}

// TestFieldsAreDocumented looks for each JSON field in the part of the page that is about its command.
func TestFieldsAreDocumented(t *testing.T) {
	testenv.Host(t, "the folder docs")
	page, err := os.ReadFile("../../docs/command-line.md")
	if err != nil {
		t.Fatal(err)
	}
	pins := reflect.TypeFor[pinInfo]()
	for command, of := range map[string]reflect.Type{
		"inspect": reflect.TypeFor[fileInfo](), "plan": pins, "load": reflect.TypeFor[loadInfo](), "ls": reflect.TypeFor[entryInfo](),
		"show": reflect.TypeFor[showInfo](), "unpin": reflect.TypeFor[unpinInfo](), "demo": reflect.TypeFor[stepInfo](),
		"upgrade": reflect.TypeFor[upgradeInfo](), "recover": reflect.TypeFor[recoverInfo](), "gc": reflect.TypeFor[garbageInfo](),
	} {
		_, part, found := strings.Cut(string(page), "\n### "+command)
		part, _, _ = strings.Cut(part, "\n### ")
		if !found {
			t.Errorf("the page says nothing of the JSON of %s", command)
		}
		_, plan, _ := strings.Cut(string(page), "\n### plan")
		plan, _, _ = strings.Cut(plan, "\n### ")
		for _, name := range fieldNames(of) {
			if !strings.Contains(part, "`"+name+"`") && !strings.Contains(plan, "`"+name+"`") {
				t.Errorf("%s: the page does not say what `%s` is", command, name)
			}
		}
	}
}
