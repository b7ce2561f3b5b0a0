// Command sizes prints how large static programs get with Pinion, and fails where one is over its budget.
//
//	go run ./internal/sizes [-arch arm64]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"text/tabwriter"

	"github.com/pinion-bpf/pinion/internal/sizes/measure"
)

func main() {
	arch := flag.String("arch", runtime.GOARCH, "the architecture `GOARCH` to build for")
	flag.Parse()
	sizes, err := measure.Measure(".", *arch)
	if err != nil {
		fmt.Fprintln(os.Stderr, "sizes:", err)
		os.Exit(1)
	}
	fmt.Printf("static binaries for linux/%s, in KB of %d bytes\n\n", *arch, measure.KB)
	if !report(os.Stdout, sizes) {
		os.Exit(1)
	}
}

// report prints the sizes and tells whether all budgets are kept.
func report(to io.Writer, sizes measure.Sizes) bool {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	defer table.Flush()
	empty := sizes.Programs[measure.Empty]
	fmt.Fprintln(table, "program\tsize\tover empty")
	row := func(name string, size int64) {
		fmt.Fprintf(table, "%s\t%s\t%s\n", name, inKB(size), inKB(size-empty))
	}
	for _, name := range []string{measure.Empty, measure.ReaderBare, measure.Reader, measure.Agent} {
		row(name, sizes.Programs[name])
	}
	row("agent without its object", sizes.Programs[measure.Agent]-sizes.Object)

	kept := true
	fmt.Fprintln(table, "\nbudget\tused\tat most\tkept")
	for _, b := range sizes.Budgets() {
		verdict := "yes"
		if !b.Kept() {
			verdict, kept = "NO, "+inKB(b.Over())+" over", false
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", b.Name, inKB(b.Used), inKB(b.Limit), verdict)
	}
	return kept
}

func inKB(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/measure.KB) }
