package object_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/pinion-bpf/pinion/internal/testenv"
)

// TestMain is another process where a test starts it again.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == tokenChild {
		if err := loadWithToken(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(testenv.Main(m))
}
