package main

import (
	"fmt"
	"os"

	"github.com/pinion-bpf/pinion/internal/sizes/measure"
)

func Example() {
	sizes := measure.Sizes{Object: 5_000, Programs: map[string]int64{
		measure.Empty: 1_200_000, measure.ReaderBare: 1_400_000, measure.Reader: 1_420_000, measure.Agent: 1_655_000,
	}}
	fmt.Println(report(os.Stdout, sizes))
	// Output:
	// program                   size    over empty
	// empty                     1200.0  0.0
	// reader_bare               1400.0  200.0
	// reader                    1420.0  220.0
	// agent                     1655.0  455.0
	// agent without its object  1650.0  450.0
	//
	// budget                               used   at most  kept
	// reader over reader_bare              20.0   40.0     yes
	// agent without its object over empty  450.0  350.0    NO, 100.0 over
	// false
}
