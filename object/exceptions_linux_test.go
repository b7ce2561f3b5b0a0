package object_test

import (
	"bytes"
	"testing"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// result runs a program on a packet of that many bytes, and gives what it returns.
func result(t *testing.T, o *object.Object, program string, packet int) uint32 {
	t.Helper()
	attr := sys.ProgTestRunAttr{ProgFD: o.Program(program).FD().Attr(), DataIn: sys.Slice(make([]byte, packet)), DataSizeIn: uint32(packet)}
	check(t, sys.ProgTestRun(&attr))
	return attr.Retval
}

// TestExceptions has exceptions thrown, and caught by the function that a tag names.
func TestExceptions(t *testing.T) {
	testenv.Object(t, objectsDir, "exceptions")
	o := load(t, "exceptions")
	for _, c := range []struct {
		program      string
		packet, want int
	}{{"throw_long", 64, 7}, {"throw_long", 66, 64}, {"throw_long", 67, 65}, {"throw", 64, 9}} {
		if got := result(t, o, c.program, c.packet); got != uint32(c.want) {
			t.Errorf("%s of %d bytes returned %d, want %d", c.program, c.packet, got, c.want)
		}
	}
	wantVariables(t, o, map[string]uint64{"caught": 67})
}

// TestExceptionsMalformed names a function that there is not.
func TestExceptionsMalformed(t *testing.T) {
	data := bytes.Replace(mustRead(t, "exceptions"), []byte("exception_callback:catch"), []byte("exception_callback:patch"), 1)
	s, err := object.Parse("exceptions", data)
	check(t, err)
	testenv.Object(t, objectsDir, "exceptions")
	_, err = s.Load(needed(t, s))
	wantError(t, err, object.ErrFormat, `"throw_long"`, `"patch"`)
}
