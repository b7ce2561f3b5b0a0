//go:build !(mips || mips64 || ppc64 || s390x)

package testdata

import _ "embed" // for the directive below

// Counter counts the packets and bytes of a cgroup: testdata/bpf/counter.c, built for machines of this byte order.
//
//go:embed bpf/counter.bpf.o
var Counter []byte

// CounterV2 is the next build of Counter: testdata/bpf/counter_v2.c. Who does not name it does not carry it.
//
//go:embed bpf/counter_v2.bpf.o
var CounterV2 []byte
