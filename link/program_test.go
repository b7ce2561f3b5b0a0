package link_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/sys"
)

// insn makes one instruction. On a big-endian machine the two registers change places too: they are bit fields.
func insn(code, dst, src byte, off int16, imm int32) []byte {
	regs := dst | src<<4
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		regs = dst<<4 | src
	}
	b := []byte{code, regs}
	b = binary.NativeEndian.AppendUint16(b, uint16(off))
	return binary.NativeEndian.AppendUint32(b, uint32(imm))
}

func assemble(insns ...[]byte) []byte {
	var code []byte
	for _, insn := range insns {
		code = append(code, insn...)
	}
	return code
}

// The instructions that the test programs are made of.
func movImm(dst byte, imm int32) []byte { return insn(0xb7, dst, 0, 0, imm) }
func movReg(dst, src byte) []byte       { return insn(0xbf, dst, src, 0, 0) }
func addImm(dst byte, imm int32) []byte { return insn(0x07, dst, 0, 0, imm) }
func load64(dst, src byte) []byte       { return insn(0x79, dst, src, 0, 0) }
func call(helper int32) []byte          { return insn(0x85, 0, 0, 0, helper) }
func exit() []byte                      { return insn(0x95, 0, 0, 0, 0) }

// returns is a program that does nothing but return value.
func returns(value int32) []byte { return assemble(movImm(0, value), exit()) }

// counts is a program that adds one to element 0 of an array map and returns value.
func counts(counter *sys.FD, value int32) []byte {
	const r0, r1, r2, fp = 0, 1, 2, 10
	return assemble(
		insn(0x62, fp, 0, -4, 0),                   // *(u32 *)(fp - 4) = 0
		insn(0x18, r1, 1, 0, int32(counter.Int())), // r1 = the map
		insn(0, 0, 0, 0, 0),
		movReg(r2, fp),
		addImm(r2, -4),
		call(1),                 // bpf_map_lookup_elem
		insn(0x15, r0, 0, 2, 0), // if r0 == 0, skip two
		movImm(r1, 1),
		insn(0xdb, r0, r1, 0, 0), // lock *(u64 *)r0 += r1
		movImm(r0, value),
		exit(),
	)
}

// storesCookie is a program that writes the cookie of its attachment to element 0 of an array map.
func storesCookie(cookie *sys.FD) []byte {
	const r0, r1, r2, r6, fp = 0, 1, 2, 6, 10
	return assemble(
		call(174), // bpf_get_attach_cookie
		movReg(r6, r0),
		insn(0x62, fp, 0, -4, 0), // *(u32 *)(fp - 4) = 0
		insn(0x18, r1, 1, 0, int32(cookie.Int())), // r1 = the map
		insn(0, 0, 0, 0, 0),
		movReg(r2, fp),
		addImm(r2, -4),
		call(1),                  // bpf_map_lookup_elem
		insn(0x15, r0, 0, 1, 0),  // if r0 == 0, skip one
		insn(0x7b, r0, r6, 0, 0), // *(u64 *)r0 = r6
		movImm(r0, 0),
		exit(),
	)
}

// prints is an iterator program that writes one byte for each call.
func prints() []byte {
	const r1, r2, r3, fp = 1, 2, 3, 10
	return assemble(
		insn(0x72, fp, 0, -1, '#'), // *(u8 *)(fp - 1) = '#'
		load64(r1, r1),             // ctx->meta
		load64(r1, r1),             // meta->seq
		movReg(r2, fp),
		addImm(r2, -1),
		movImm(r3, 1),
		call(127), // bpf_seq_write
		movImm(0, 0),
		exit(),
	)
}

// program says what the tests load.
type program struct {
	kind   sys.ProgType
	attach sys.AttachType
	btfID  uint32
	code   []byte
}

var (
	allowSocket = program{kind: sys.ProgTypeCgroupSock, attach: sys.AttachTypeCgroupInetSockCreate, code: returns(1)}
	denySocket  = program{kind: sys.ProgTypeCgroupSock, attach: sys.AttachTypeCgroupInetSockCreate, code: returns(0)}
	passXDP     = program{kind: sys.ProgTypeXDP, attach: sys.AttachTypeXDP, code: returns(2)}
	passTC      = program{kind: sys.ProgTypeSchedCls, code: returns(-1)}
	passLookup  = program{kind: sys.ProgTypeSKLookup, attach: sys.AttachTypeSKLookup, code: returns(1)}
	rawTP       = program{kind: sys.ProgTypeRawTracepoint, code: returns(0)}
	onTP        = program{kind: sys.ProgTypeTracepoint, code: returns(0)}
	onEvent     = program{kind: sys.ProgTypePerfEvent, code: returns(0)}
)

// load loads a program that is closed with the test.
func (p program) load(t testing.TB) *sys.FD {
	t.Helper()
	testenv.Root(t)
	fd, err := p.open()
	check(t, err)
	t.Cleanup(func() { fd.Close() })
	return fd
}

func (p program) open() (*sys.FD, error) {
	unlimit()
	license, err := sys.CString("GPL")
	if err != nil {
		return nil, err
	}
	log := make([]byte, 4096)
	fd, err := sys.ProgLoad(&sys.ProgLoadAttr{
		ProgType:           p.kind,
		InsnCnt:            uint32(len(p.code) / 8),
		Insns:              sys.Slice(p.code),
		License:            license,
		LogLevel:           1,
		LogSize:            uint32(len(log)),
		LogBuf:             sys.Slice(log),
		ExpectedAttachType: p.attach,
		AttachBTFID:        p.btfID,
	})
	if err != nil {
		return nil, fmt.Errorf("load %v program: %w\n%s", p.kind, err, unix.ByteSliceToString(log))
	}
	return fd, nil
}

// newCounter makes the map of a program that [counts].
func newCounter(t testing.TB) *sys.FD {
	t.Helper()
	return newArray(t, 1)
}

func newArray(t testing.TB, entries uint32) *sys.FD {
	t.Helper()
	testenv.Root(t)
	unlimit()
	fd, err := sys.MapCreate(&sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 8, MaxEntries: entries})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fd.Close() })
	return fd
}

func count(t testing.TB, counter *sys.FD) uint64 {
	t.Helper()
	var key uint32
	var value uint64
	err := sys.MapLookupElem(&sys.MapElemAttr{MapFD: counter.Attr(), Key: sys.Ptr(&key), Value: sys.Ptr(&value)})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// unlimit lets the process load what it wants: Linux before 5.11 counts programs and maps as locked memory. Where it may not, newer kernels do
// not need it, and on older ones loading fails and says so.
func unlimit() {
	_ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: math.MaxUint64, Max: math.MaxUint64})
}

var kernelBTF = sync.OnceValues(func() (*btf.Data, error) {
	raw, err := os.ReadFile("/sys/kernel/btf/vmlinux")
	if err != nil {
		return nil, err
	}
	return btf.Parse(raw)
})

// kernelType gives the id of a type of the running kernel.
func kernelType(t testing.TB, kind btf.Kind, name string) uint32 {
	t.Helper()
	kernel, err := kernelBTF()
	check(t, err)
	found, ok := kernel.Find(kind, name)
	if !ok {
		t.Fatalf("the kernel has no %s", name)
	}
	return uint32(found.ID())
}

// iterator is an iterator program over "bpf_map" and the like.
func iterator(t testing.TB, over string) program {
	t.Helper()
	fn := kernelType(t, btf.KindFunc, "bpf_iter_"+over)
	return program{kind: sys.ProgTypeTracing, attach: sys.AttachTypeTraceIter, btfID: fn, code: prints()}
}

// words gives numbers as the kernel reads them.
func words(values ...uint32) []byte {
	var b []byte
	for _, value := range values {
		b = binary.NativeEndian.AppendUint32(b, value)
	}
	return b
}
