// Package testvm runs compiled Go tests on other kernels, in virtual machines that need no privilege: it builds an image that holds the
// tests, boots each kernel with it, and gathers what every test said.
package testvm
