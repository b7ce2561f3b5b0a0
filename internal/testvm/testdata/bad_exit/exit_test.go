package exit

import (
	"os"
	"testing"
)

func TestBefore(*testing.T) {}

func TestExit(*testing.T) { os.Exit(3) }

func TestAfter(*testing.T) {}
