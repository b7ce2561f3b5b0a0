package sys_test

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

// A map, one element, and what the kernel knows about it. It needs CAP_BPF, so it is compiled and not run.
func Example() {
	fd, err := sys.MapCreate(&sys.MapCreateAttr{MapType: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 16})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer fd.Close()
	key, value := uint32(1), uint64(42)
	err = sys.MapUpdateElem(&sys.MapElemAttr{MapFD: fd.Attr(), Key: sys.Ptr(&key), Value: sys.Ptr(&value), Flags: unix.BPF_NOEXIST})
	fmt.Println(err)
}

func ExampleNewObjName() {
	fmt.Println(sys.NewObjName("my-map.with a long name"))
	// Output: my_map.with_a_l
}
