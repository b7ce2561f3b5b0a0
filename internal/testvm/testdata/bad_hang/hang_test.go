package hang

import "testing"

func TestBefore(*testing.T) {}

// TestSleep sleeps for ever. (Go would find a deadlock if nothing else could wake.)
func TestSleep(*testing.T) { select {} }
