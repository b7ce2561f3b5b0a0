package object_test

import (
	"testing"

	"github.com/pinion-bpf/pinion/object"
)

// BenchmarkRunningKernel is what the kernel's types cost before the first access.
func BenchmarkRunningKernel(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		k, err := object.RunningKernel()
		check(b, err)
		check(b, k.Close())
	}
}

// BenchmarkFit decides the accesses of an object.
func BenchmarkFit(b *testing.B) {
	for _, name := range []string{"core", "core_kinds"} {
		b.Run(name, func(b *testing.B) {
			s, k := open(b, name), runningKernel(b)
			b.ReportAllocs()
			for b.Loop() {
				_, err := object.NewFittedAssembler(s, k)
				check(b, err)
			}
		})
	}
}
