package pinning_test

import (
	"errors"
	"fmt"

	"github.com/pinion-bpf/pinion/pinning"
)

func ExampleEscape() {
	fmt.Println(pinning.Escape("flows"))
	fmt.Println(pinning.Escape(".rodata.cfg"))
	// Output:
	// flows
	// %2Erodata%2Ecfg
}

// A person may write a name with or without escapes.
func ExampleResolveName() {
	for _, name := range []string{"my.obj", "my%2Eobj", "flow@eth0.100", "a@b@c"} {
		fmt.Println(pinning.ResolveName(name))
	}
	// Output:
	// my%2Eobj <nil>
	// my%2Eobj <nil>
	// flow@eth0%2E100 <nil>
	//  pinning: unusable name: object: "a@b@c" has more than one '@': write %40 for one that is part of a name
}

// Every path of an object is known before it is loaded. Here one map is shared with libbpf, which looks for it right below the root.
func ExamplePlan() {
	things := []pinning.Thing{
		{Kind: pinning.KindMap, Name: "events"},
		{Kind: pinning.KindMap, Name: ".rodata.cfg"},
		{Kind: pinning.KindProgram, Name: "ingress"},
		{Kind: pinning.KindLink, Name: "ingress", Target: "eth0"},
	}
	overrides := []pinning.Override{{Kind: pinning.KindMap, Name: "events", Path: "events"}}
	pins, err := pinning.Plan("/sys/fs/bpf", "flow", things, overrides)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range pins {
		fmt.Println(p, "at", p.Path)
	}
	// Output:
	// map .rodata.cfg at /sys/fs/bpf/flow/maps/%2Erodata%2Ecfg
	// map events at /sys/fs/bpf/events
	// program ingress at /sys/fs/bpf/flow/programs/ingress
	// link ingress@eth0 at /sys/fs/bpf/flow/links/ingress@eth0
}

// Two claims on one path are an error before anything is pinned.
func ExampleConflictError() {
	things := []pinning.Thing{{Kind: pinning.KindMap, Name: "a"}, {Kind: pinning.KindProgram, Name: "b"}}
	overrides := []pinning.Override{
		{Kind: pinning.KindMap, Name: "a", Path: "shared"},
		{Kind: pinning.KindProgram, Name: "b", Path: "shared/b"},
	}
	_, err := pinning.Plan("/sys/fs/bpf", "flow", things, overrides)
	fmt.Println(err)
	fmt.Println(errors.Is(err, pinning.ErrConflict))
	// Output:
	// pinning: conflict: program b claims /sys/fs/bpf/shared/b, inside /sys/fs/bpf/shared of map a: give one of them another path, or do not pin it
	// true
}

func ExampleEncodeRecord() {
	parts, err := pinning.EncodeRecord(pinning.Record{
		Version: pinning.RecordVersion, Object: "flow", Generation: 1, Complete: true,
		Pins: []pinning.RecordedPin{
			{Kind: pinning.KindMap, Name: ".rodata", ID: 17},
			{Kind: pinning.KindMap, Name: "events", ID: 18, Path: "events", Shared: true},
			{Kind: pinning.KindLink, Name: "ingress", Target: "eth0", ID: 5},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, text := range parts {
		fmt.Println(pinning.RecordName(i), "->")
		fmt.Println(text)
	}
	// Output:
	// %record ->
	// pinion record 1 part 1 of 1
	// tree flow
	// generation 1
	// elf 0000000000000000000000000000000000000000000000000000000000000000
	// spec 0000000000000000000000000000000000000000000000000000000000000000
	// complete yes
	// map %2Erodata id 17
	// map events id 18 shared at events
	// link ingress@eth0 id 5
	// end 8b787814cc927d4c
}
