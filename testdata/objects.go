// Package testdata embeds the objects of testdata/bpf that programs come with: the example agent and the demo.
package testdata
