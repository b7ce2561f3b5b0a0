// Package testenv gives tests on a real kernel what they need: a bpffs of their own, a statement of which kernel and privilege they
// need that is accounted for, and a check that nothing is left open, loaded or attached when they end.
package testenv
