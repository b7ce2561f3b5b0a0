package faults

import (
	"os"
	"slices"
	"testing"

	"github.com/pinion-bpf/pinion/internal/testenv"
)

func TestMain(m *testing.M) {
	if IsChild() {
		os.Exit(Child(slices.Concat(operations(), sloppy(), racing())))
	}
	os.Exit(testenv.Main(m))
}
