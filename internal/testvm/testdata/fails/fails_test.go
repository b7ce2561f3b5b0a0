package fails

import "testing"

func TestFail(t *testing.T) {
	t.Run("sub", func(t *testing.T) { t.Errorf("have %d, want %d", 1, 2) })
}

func TestPass(*testing.T) {}
