package link_test

import (
	"fmt"

	"github.com/pinion-bpf/pinion/link"
)

// A program is attached to a tracepoint, and the kernel asked about it.
func Example() {
	program, err := rawTP.open() // usually a program of an object
	if err != nil {
		fmt.Println(err)
		return
	}
	defer program.Close()

	l, err := link.RawTracepoint{Name: "sched_switch"}.Attach(program)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()

	info, err := l.Info()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Type, info.Name, "attached:", info.Attached)

	// A raw tracepoint keeps its program for life.
	fmt.Println("can update:", l.CanUpdate())
	// Output:
	// raw_tracepoint sched_switch attached: true
	// can update: false
}

func ExampleIfindex() {
	_, err := link.Ifindex("no-such-link")
	fmt.Println(err)
	// Output: find interface no-such-link: no such device
}

func ExampleOpenCgroup() {
	_, err := link.OpenCgroup("/dev")
	fmt.Println(err)
	// Output: open cgroup /dev: not a cgroup2 directory (give a path below the mount of type cgroup2 in /proc/self/mountinfo)
}
