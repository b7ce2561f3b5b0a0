package gopanic

import "testing"

func TestBefore(*testing.T) {}

func TestNil(*testing.T) {
	var at *int
	*at = 1
}
