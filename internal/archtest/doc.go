// Package archtest holds the rules of Pinion's architecture as tests: who imports whom, what the library may use, how long files and
// functions are, what is documented, and how large a static binary gets. All of it is in test files; nothing imports this package.
//
// Each rule comes with samples of what it refuses, so that a rule that finds nothing is known to be able to.
package archtest
