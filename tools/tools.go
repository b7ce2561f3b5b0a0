// Package tools holds the files of this folder that programs read, so that a program has them wherever it runs.
package tools

import _ "embed"

// Kernels is the file kernels, which says how it is read.
//
//go:embed kernels
var Kernels string
