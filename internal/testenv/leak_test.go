package testenv

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/sys"
)

// TestLeakIsSeen keeps a map open, and closes it.
func TestLeakIsSeen(t *testing.T) {
	Root(t)
	before, err := take()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := sys.MapCreate(&sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, id, err := sys.KindOf(fd)
	if err != nil {
		t.Fatal(err)
	}
	after, err := take()
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, thing := range []string{fmt.Sprintf("fd %d anon_inode:bpf-map", fd.Int()), fmt.Sprintf("map id %d", id)} {
		if after[thing] && !before[thing] {
			seen = append(seen, thing)
		}
	}
	if len(seen) != 2 {
		t.Errorf("of a descriptor and a map, only %q were seen to be left", seen)
	}
	if err := fd.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := waitFor(before)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string(nil), left); diff != "" {
		t.Errorf("left when it is closed (-want +got):\n%s", diff)
	}
}
