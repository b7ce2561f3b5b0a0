//go:build linux

package pinning_test

import (
	"os"
	"testing"

	"github.com/pinion-bpf/pinion/internal/testenv"
)

func TestMain(m *testing.M) {
	if os.Getenv(workerVariable) != "" {
		os.Exit(work())
	}
	os.Exit(testenv.Main(m))
}
