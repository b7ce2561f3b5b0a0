package object_test

import (
	"fmt"

	"github.com/pinion-bpf/pinion/object"
)

func ExampleOpen() {
	spec, err := object.Open("../testdata/bpf/counter.bpf.o")
	if err != nil {
		fmt.Println(err)
		return
	}
	spec.Map("packets").MaxEntries = 64
	if err := spec.Variable("sample").Set([]byte{10, 0, 0, 0}); err != nil {
		fmt.Println(err)
	}
	for _, m := range spec.Maps {
		fmt.Println("map", m.Name, m.Type, m.MaxEntries)
	}
	for _, p := range spec.Programs {
		fmt.Println("program", p.Name, p.Section)
	}
	// Output:
	// map packets array 64
	// map .rodata array 1
	// map .bss array 1
	// program count_ingress cgroup_skb/ingress
	// program count_egress cgroup_skb/egress
}
