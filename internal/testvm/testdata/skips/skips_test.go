package skips

import (
	"testing"

	"github.com/pinion-bpf/pinion/internal/testenv"
)

func TestSkip(t *testing.T) { testenv.Kernel(t, "99.0", "travel in time") }

func TestPass(*testing.T) {}
