package object_test

import (
	"testing"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
)

// maxLoadAllocations is what a load of the demo's object, of 3 maps and 2 programs, may allocate: about 100 in all.
const maxLoadAllocations = 130

func TestLoadAllocatesLittle(t *testing.T) {
	testenv.Root(t)
	s := open(t, "counter")
	n := testing.AllocsPerRun(20, func() {
		o, err := s.Load(&object.LoadOptions{Workers: 1})
		check(t, err)
		check(t, o.Close())
	})
	if n > maxLoadAllocations {
		t.Errorf("%v allocations, at most %d are good", n, maxLoadAllocations)
	}
}

func BenchmarkLoad(b *testing.B) {
	testenv.Root(b)
	for _, name := range []string{"counter", "many"} {
		for workers, label := range map[int]string{1: "one", 8: "eight"} {
			b.Run(name+"/"+label, func(b *testing.B) {
				s := open(b, name)
				b.ReportAllocs()
				for b.Loop() {
					o, err := s.Load(&object.LoadOptions{Workers: workers})
					check(b, err)
					check(b, o.Close())
				}
			})
		}
	}
}
