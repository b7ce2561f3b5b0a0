package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/pinning"
)

// The words of -map.
const (
	policyRecreate = "recreate"
	policyMigrate  = "migrate"
	policyAtLeast  = "at-least"
	policyAny      = "any"
)

// policies are what -map gave, one for each map.
type policies []pinning.MapPolicy

// add reads one -map: a map's name, "=", and words with commas between them. Names may have a "=" of their own, words have none.
func (all *policies) add(given string) error {
	at := strings.LastIndexByte(given, '=')
	if at <= 0 {
		return errors.New("want MAP=POLICY, as in flows=migrate")
	}
	policy := pinning.MapPolicy{Name: given[:at]}
	for _, other := range *all {
		if other.Name == policy.Name {
			return fmt.Errorf("map %s has a policy already: put commas between the words of one", plain(policy.Name))
		}
	}
	words := strings.Split(given[at+1:], ",")
	for _, word := range words {
		if err := addWord(&policy, word); err != nil {
			return err
		}
	}
	if policy.Recreate && len(words) > 1 {
		return errors.New(policyRecreate + " goes with no other word: nothing of the old map is kept")
	}
	*all = append(*all, policy)
	return nil
}

func addWord(policy *pinning.MapPolicy, word string) error {
	size := pinning.SizeExact
	switch word {
	case policyRecreate:
		policy.Recreate = true
	case policyMigrate:
		policy.Migrate = pinning.Migrate(nil)
	case policyAtLeast:
		size = pinning.SizeAtLeast
	case policyAny:
		size = pinning.SizeAny
	default:
		return fmt.Errorf("%s is no policy: there are %s, %s, %s and %s", quote(word), policyRecreate, policyMigrate, policyAtLeast, policyAny)
	}
	switch {
	case size != pinning.SizeExact && policy.Size != pinning.SizeExact:
		return errors.New(policyAtLeast + " and " + policyAny + " exclude each other")
	case size != pinning.SizeExact:
		policy.Size = size
	}
	return nil
}

// check makes sure that each policy is about a map of the file: a name that is misspelt would do nothing, without a word.
func (all policies) check(c *call, spec *object.Spec, file string) error {
	for _, policy := range all {
		if spec.Map(policy.Name) == nil {
			return wrongUsage("-map "+plain(policy.Name)+": "+plain(file)+" has no such map", c.command.name)
		}
	}
	return nil
}

// A refusedMaps is the error of maps that do not fit, all of them in one line, with what -map can do about each.
type refusedMaps struct {
	what   string // was to be done
	maps   []*object.MismatchError
	advice string
}

func (e *refusedMaps) Unwrap() error { return object.ErrMismatch }

func (e *refusedMaps) Error() string {
	var all []string
	for _, m := range e.maps {
		all = append(all, m.Error())
	}
	return e.what + ": " + strings.Join(all, "; and ")
}

func refuseMaps(what string, maps []*object.MismatchError, spec *object.Spec) error {
	var advice []string
	for _, m := range maps {
		advice = append(advice, policyAdvice(m, spec))
	}
	return &refusedMaps{what, maps, strings.Join(advice, "; ")}
}

// mismatches gives every map that an error says does not fit.
func mismatches(err error) []*object.MismatchError {
	if one, ok := err.(*object.MismatchError); ok {
		return []*object.MismatchError{one}
	}
	switch wraps := err.(type) {
	case interface{ Unwrap() error }:
		return mismatches(wraps.Unwrap())
	case interface{ Unwrap() []error }:
		var all []*object.MismatchError
		for _, one := range wraps.Unwrap() {
			all = append(all, mismatches(one)...)
		}
		return all
	}
	return nil
}

// policyAdvice says what -map can do about a map that does not fit.
func policyAdvice(refused *object.MismatchError, spec *object.Spec) string {
	option := func(word string) string { return "-map " + plain(refused.Map+"="+word) }
	var ways []string
	if word := sizePolicy(refused.Fields); word != "" {
		ways = append(ways, option(word)+" keeps it")
	}
	if mayMigrate(refused.Fields, spec.Map(refused.Map)) {
		ways = append(ways, option(policyMigrate)+" copies what is in it into a new one")
	}
	return strings.Join(append(ways, option(policyRecreate)+" begins anew without it"), ", ")
}

// sizePolicy gives the policy that keeps a map of which nothing differs but the number of entries, "" if more does.
func sizePolicy(fields []object.Difference) string {
	if len(fields) != 1 || fields[0].Field != fieldEntries {
		return ""
	}
	if larger(fields[0].Have, fields[0].Want) {
		return policyAtLeast
	}
	return policyAny
}

// The fields of an [object.Difference] that decide what can be done.
const (
	fieldEntries = "max entries"
	fieldKey     = "key size"
	fieldValue   = "value size"
)

// mayMigrate tells whether copying without a converter of the caller's own may work: keys stay as long as they are, values get no shorter. Of global
// data, what is copied are the variables.
func mayMigrate(fields []object.Difference, m *object.MapSpec) bool {
	if m == nil || !object.Copyable(m.Type) {
		return false
	}
	if strings.HasPrefix(m.Name, ".") {
		return true
	}
	for _, f := range fields {
		if f.Field == fieldKey || f.Field == fieldValue && larger(f.Have, f.Want) || strings.HasPrefix(f.Field, "inner ") {
			return false
		}
	}
	return true
}

// larger compares two decimal numbers as they are written.
func larger(a, b string) bool { return len(a) > len(b) || len(a) == len(b) && a > b }
