// Package testdata embeds the objects of testdata/bpf that programs come with: the example agent and the demo.
package testdata

import _ "embed" // for the directives below

// Counter counts the packets and bytes of a cgroup: testdata/bpf/counter.c. It is for little-endian machines.
//
//go:embed bpf/counter.bpf.o
var Counter []byte
