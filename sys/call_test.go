package sys_test

import (
	"bytes"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/sys"
)

func newArray(t testing.TB, name string) *sys.FD {
	t.Helper()
	fd, err := sys.MapCreate(&sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 8, MaxEntries: 4, MapName: sys.NewObjName(name)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fd.Close() })
	return fd
}

// newProgram loads "return 1" as a cgroup program.
func newProgram(t testing.TB) *sys.FD {
	t.Helper()
	license, _ := sys.CString("GPL")
	insns := []uint64{native(0xb7, 0, 1), native(0x95, 0, 0)}
	fd, err := sys.ProgLoad(&sys.ProgLoadAttr{
		ProgType: sys.ProgTypeCgroupSKB, Insns: sys.Slice(insns), InsnCnt: 2, License: license,
		ProgName: sys.NewObjName("return_1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fd.Close() })
	return fd
}

// native gives an instruction as this machine's memory has it.
func native(code, dst uint8, imm int32) uint64 {
	insn := struct {
		code, regs uint8
		off        int16
		imm        int32
	}{code: code, regs: dst, imm: imm}
	return *(*uint64)(unsafe.Pointer(&insn))
}

func TestMapElements(t *testing.T) {
	fd := newArray(t, "elements")
	key, value, got := []byte{2, 0, 0, 0}, []byte("8 bytes!"), make([]byte, 8)
	elem := sys.MapElemAttr{MapFD: fd.Attr(), Key: sys.Slice(key), Value: sys.Slice(value)}
	if err := sys.MapUpdateElem(&elem); err != nil {
		t.Fatal(err)
	}
	elem.Value = sys.Slice(got)
	if err := sys.MapLookupElem(&elem); err != nil || !bytes.Equal(got, value) {
		t.Errorf("%q, %v, want %q", got, err, value)
	}
	if err := sys.MapDeleteElem(&elem); err != unix.EINVAL {
		t.Errorf("deleting from an array: %v, want EINVAL", err)
	}
	next := make([]byte, 4)
	if err := sys.MapGetNextKey(&sys.MapNextKeyAttr{MapFD: fd.Attr(), Key: sys.Slice(key), NextKey: sys.Slice(next)}); err != nil || next[0] != 3 {
		t.Errorf("the key after %v is %v, %v", key, next, err)
	}
	if err := sys.MapFreeze(&sys.MapFreezeAttr{MapFD: fd.Attr()}); err != nil {
		t.Fatal(err)
	}
	if err := sys.MapUpdateElem(&elem); err != unix.EPERM {
		t.Errorf("writing to a frozen map: %v, want EPERM", err)
	}
}

func TestMapBatch(t *testing.T) {
	fd := newArray(t, "batch")
	keys := []uint32{0, 1, 2, 3}
	values := []uint64{10, 11, 12, 13}
	attr := sys.MapBatchAttr{MapFD: fd.Attr(), Keys: sys.Slice(keys), Values: sys.Slice(values), Count: 4}
	if err := sys.MapUpdateBatch(&attr); err != nil || attr.Count != 4 {
		t.Fatalf("%d written, %v", attr.Count, err)
	}
	var cursor uint32
	clear(values)
	attr = sys.MapBatchAttr{MapFD: fd.Attr(), OutBatch: sys.Ptr(&cursor), Keys: sys.Slice(keys), Values: sys.Slice(values), Count: 4}
	if err := sys.MapLookupBatch(&attr); err != nil && err != unix.ENOENT {
		t.Fatal(err)
	}
	if attr.Count != 4 || values[3] != 13 {
		t.Errorf("%d read: %v", attr.Count, values)
	}
}

func TestElementCallsDoNotAllocate(t *testing.T) {
	fd := newArray(t, "no_alloc")
	allocs := testing.AllocsPerRun(100, func() {
		var key uint32
		var value uint64
		attr := sys.MapElemAttr{MapFD: fd.Attr(), Key: sys.Ptr(&key), Value: sys.Ptr(&value)}
		if err := sys.MapLookupElem(&attr); err != nil {
			t.Error(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations a lookup, want none", allocs)
	}
}

// TestQueryWritesWithinTheUnion proves on the running kernel what doc.go says of short attributes: the result is there and nothing
// after the structure has changed.
func TestQueryWritesWithinTheUnion(t *testing.T) {
	guarded := struct {
		attr   sys.ProgQueryAttr
		canary [64]byte
	}{attr: sys.ProgQueryAttr{TargetFD: 0xffffffff, AttachType: sys.AttachTypeCgroupInetIngress}}
	if err := sys.ProgQuery(&guarded.attr); err != unix.EBADF {
		t.Errorf("asking about no cgroup: %v, want EBADF", err)
	}
	if guarded.canary != [64]byte{} {
		t.Errorf("the kernel wrote past the attribute: %v", guarded.canary)
	}
}

func TestTestRun(t *testing.T) {
	fd := newProgram(t)
	packet := make([]byte, 64)
	attr := sys.ProgTestRunAttr{ProgFD: fd.Attr(), DataIn: sys.Slice(packet), DataSizeIn: 64, Repeat: 1}
	if err := sys.ProgTestRun(&attr); err != nil || attr.Retval != 1 {
		t.Errorf("returned %d, %v, want 1", attr.Retval, err)
	}
}

func TestInfoAndIDs(t *testing.T) {
	m, p := newArray(t, "info.map-x"), newProgram(t)
	var mi sys.MapInfo
	if _, err := sys.GetInfo(m, &mi); err != nil || mi.Name.String() != "info.map_x" || mi.MaxEntries != 4 {
		t.Errorf("%q with %d entries, %v", mi.Name, mi.MaxEntries, err)
	}
	var pi sys.ProgInfo
	if _, err := sys.GetInfo(p, &pi); err != nil || pi.Type != sys.ProgTypeCgroupSKB {
		t.Errorf("%v, %v", pi.Type, err)
	}
	again, err := sys.MapGetFDByID(&sys.GetFDByIDAttr{StartID: mi.ID})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	next := sys.GetIDAttr{StartID: pi.ID - 1}
	if err := sys.ProgGetNextID(&next); err != nil || next.NextID != pi.ID {
		t.Errorf("the id after %d is %d, %v", pi.ID-1, next.NextID, err)
	}
	for fd, want := range map[*sys.FD]sys.Kind{m: sys.KindMap, p: sys.KindProgram, again: sys.KindMap} {
		if kind, id, err := sys.KindOf(fd); kind != want || id == 0 || err != nil {
			t.Errorf("%v with id %d, %v, want %v", kind, id, err, want)
		}
	}
	if _, _, err := sys.KindOf(new(sys.FD)); err != unix.EBADF && err != unix.EBADFD {
		t.Errorf("a closed descriptor: %v, want EBADF or EBADFD", err)
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		sys.MapTypePercpuHash.String():                  "percpu_hash",
		sys.MapType(4711).String():                      "map_type(4711)",
		sys.ProgTypeCgroupSKB.String():                  "cgroup_skb",
		sys.ProgTypeNetfilter.String():                  "netfilter",
		sys.AttachTypeCgroupInetIngress.String():        "cgroup_inet_ingress",
		sys.LinkTypeTracingMulti.String():               "tracing_multi",
		sys.LinkType(99).String():                       "link_type(99)",
		sys.KindLink.String():                           "link",
		sys.NewObjName("a-b/c 12345678901234").String(): "a_b_c_123456789",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if _, err := sys.CString("a\x00b"); err != unix.EINVAL {
		t.Errorf("a NUL in a string: %v, want EINVAL", err)
	}
}
