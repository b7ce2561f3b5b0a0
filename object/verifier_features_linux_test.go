package object_test

import (
	"encoding/binary"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
)

// loadWith loads an object with values for its variables of 8 bytes.
func loadWith(t *testing.T, name string, variables map[string]uint64) *object.Object {
	t.Helper()
	testenv.Object(t, objectsDir, name)
	s := open(t, name)
	for variable, value := range variables {
		check(t, s.Variable(variable).Set(binary.NativeEndian.AppendUint64(nil, value)))
	}
	return loadSpec(t, s, nil)
}

// TestSpinLock runs a program with a lock in its map's value.
func TestSpinLock(t *testing.T) {
	o := loadWith(t, "spin_lock", nil)
	run(t, o, "move", 100)
	run(t, o, "move", 50)
	minus := uint64(150)
	wantVariables(t, o, map[string]uint64{"from": -minus, "to": 150, "changes": 2})
}

// TestTimer runs a program that sets a timer, and waits until it has rung.
func TestTimer(t *testing.T) {
	o := loadWith(t, "timer", nil)
	run(t, o, "start", 77)
	for deadline := time.Now().Add(10 * time.Second); variable(t, o, "rang") == 0 && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	wantVariables(t, o, map[string]uint64{"started": 1, "rang": 1, "number": 77})
}

// TestKptr has a program hold a task in a map, and let it go in the next run.
func TestKptr(t *testing.T) {
	o := loadWith(t, "kptr", map[string]uint64{"pid": uint64(os.Getpid())})
	run(t, o, "hold", 0)
	wantVariables(t, o, map[string]uint64{"replaced": 0, "before": 0})
	run(t, o, "hold", 0)
	wantVariables(t, o, map[string]uint64{"replaced": 1, "before": uint64(os.Getpid())})
}

// TestDynptr has a program write records of a size that the verifier does not know.
func TestDynptr(t *testing.T) {
	for size, written := range map[uint64]uint64{8: 1, 1000: 1, 7: 0} { // of 7 bytes, a value of 8 cannot be written
		o := loadWith(t, "dynptr", map[string]uint64{"size": size})
		run(t, o, "write", 0)
		wantVariables(t, o, map[string]uint64{"written": written})
	}
}

// TestOpenCodedIterator has a program add up numbers, how many the verifier does not know.
func TestOpenCodedIterator(t *testing.T) {
	o := loadWith(t, "open_iter", map[string]uint64{"limit": 1000})
	run(t, o, "add", 0)
	wantVariables(t, o, map[string]uint64{"sum": 499500})
}
