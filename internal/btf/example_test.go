package btf_test

import (
	"encoding/binary"
	"fmt"

	"github.com/pinion-bpf/pinion/internal/btf"
)

func ExampleParse() {
	// Usually the section .BTF of an object, or /sys/kernel/btf/vmlinux. Here: a struct flow with two members.
	b := newBuilder(binary.LittleEndian)
	u32 := b.integer("unsigned int", 4, 0)
	b.structure("flow", 8, field{"src", u32, 0}, field{"ttl", u32, 32})

	d, err := btf.Parse(b.raw())
	if err != nil {
		fmt.Println(err)
		return
	}
	flow, ok := d.Find(btf.KindStruct, "flow")
	if !ok {
		fmt.Println("no struct flow")
		return
	}
	for _, m := range flow.Members() {
		fmt.Println(m.BitOffset/8, d.Resolve(m.Type).Name(), m.Name)
	}
	// Output:
	// 0 unsigned int src
	// 4 unsigned int ttl
}

func ExampleDiff() {
	flow := func(ttl uint32) (*btf.Data, btf.ID) {
		b := newBuilder(binary.LittleEndian)
		u32 := b.integer("unsigned int", 4, 0)
		id := b.structure("flow", 16, field{"src", u32, 0}, field{"ttl", u32, ttl})
		d, err := btf.Parse(b.raw())
		if err != nil {
			fmt.Println(err)
		}
		return d, id
	}
	pinned, p := flow(64)
	wanted, w := flow(96)
	fmt.Println(btf.Diff(pinned, p, wanted, w))
	// Output: member "ttl" of struct flow: offset 64, not 96 bits
}
