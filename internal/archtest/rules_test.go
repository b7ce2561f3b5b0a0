package archtest

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A rule looks at the files of one folder and says what is wrong.
type rule struct {
	name    string
	check   func(files []*file) []string
	samples []sample
}

// A sample is a folder, and what a rule finds in it.
type sample struct {
	files map[string]string // contents by path
	want  []string
}

// one is a sample of one file.
func one(path, src string, want ...string) sample {
	return sample{map[string]string{path: src}, want}
}

// each makes a rule's check of one that looks at single files.
func each(check func(*file) []string) func([]*file) []string {
	return func(files []*file) (found []string) {
		for _, f := range files {
			found = append(found, check(f)...)
		}
		return found
	}
}

// TestRules holds each rule against its samples and against the module.
func TestRules(t *testing.T) {
	tree, err := readTree("../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(tree["sys"]) == 0 {
		t.Fatal("the module's files were not found")
	}
	for _, r := range slices.Concat(importRules, lengthRules, docRules, codeRules, goroutineRules, messageRules, variableRules) {
		t.Run(r.name, func(t *testing.T) {
			r.testSamples(t)
			for _, dir := range slices.Sorted(maps.Keys(tree)) {
				for _, finding := range r.check(tree[dir]) {
					t.Error(finding)
				}
			}
		})
	}
}

func (r rule) testSamples(t *testing.T) {
	canFail := false
	for _, s := range r.samples {
		var files []*file
		for _, path := range slices.Sorted(maps.Keys(s.files)) {
			f, err := parse(path, []byte(s.files[path]))
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		if diff := cmp.Diff(s.want, r.check(files), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("sample %v: findings (-want +got):\n%s", s.files, diff)
		}
		canFail = canFail || len(s.want) > 0
	}
	if !canFail {
		t.Error("no sample proves that the rule can fail")
	}
}
