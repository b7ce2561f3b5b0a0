package btf_test

import (
	"encoding/binary"
	"testing"

	"github.com/pinion-bpf/pinion/internal/btf"
)

// sample names the types of the blob that most tests read: one of each kind at least.
type sample struct {
	u32, char, ptr, arr, flow, addr, state, fwd, td, vol, con, res btf.ID
	proto, prog, counter, bss, dbl, tag, typetag, wide, bits       btf.ID
}

func buildSample(order binary.ByteOrder) (*builder, sample) {
	b := newBuilder(order)
	var s sample
	s.u32 = b.integer("unsigned int", 4, 0)
	s.char = b.integer("char", 1, btf.IntSigned)
	s.ptr = b.ref(btf.KindPtr, "", s.u32)
	s.arr = b.array(s.char, s.u32, 16)
	s.addr = b.composite(btf.KindUnion, "addr", false, 16, field{"v4", s.u32, 0}, field{"v6", s.arr, 0})
	s.flow = b.structure("flow", 32, field{"src", s.addr, 0}, field{"ttl", s.u32, 128}, field{"next", s.ptr, 192})
	s.state = b.enum(btf.KindEnum, "state", 4, value{"UP", 1}, value{"DOWN", -1})
	s.fwd = b.add(btf.KindFwd, "sk_buff", false, 0, 0)
	s.td = b.ref(btf.KindTypedef, "flow_t", s.flow)
	s.vol = b.ref(btf.KindVolatile, "", s.td)
	s.con = b.ref(btf.KindConst, "", s.vol)
	s.res = b.ref(btf.KindRestrict, "", s.con)
	s.proto = b.proto(s.u32, btf.Param{Name: "ctx", Type: s.ptr}, btf.Param{})
	s.prog = b.function("count", s.proto, btf.LinkageGlobal)
	s.counter = b.variable("hits", s.u32, btf.LinkageGlobal)
	s.bss = b.datasec(".bss", 8, btf.VarSecinfo{Type: s.counter, Offset: 4, Size: 4})
	s.dbl = b.add(btf.KindFloat, "double", false, 0, 8)
	s.tag = b.add(btf.KindDeclTag, "user", false, 0, uint32(s.flow), 1)
	s.typetag = b.ref(btf.KindTypeTag, "kptr", s.res)
	s.wide = b.enum(btf.KindEnum64, "wide", 8, value{"BIG", 1 << 40}, value{"NEG", -2})
	s.bits = b.composite(btf.KindStruct, "bits", true, 4, field{"lo", s.u32, 3 << 24}, field{"hi", s.u32, 5<<24 | 3})
	return b, s
}

func parse(t testing.TB, b *builder) *btf.Data {
	t.Helper()
	d, err := btf.Parse(b.raw())
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return d
}

// orders runs a test for both byte orders.
func orders(t *testing.T, f func(t *testing.T, order binary.ByteOrder)) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		t.Run(order.String(), func(t *testing.T) { f(t, order) })
	}
}

// touch calls every accessor on every type and returns something that depends on all of it.
func touch(d *btf.Data) (sum uint64) {
	for id := range btf.ID(d.Len()) {
		t := d.Type(id)
		sum += uint64(t.ID()) + uint64(t.Kind()) + uint64(len(t.Kind().String())) + uint64(len(t.Name())) + uint64(t.Vlen())
		sum += uint64(t.Size()) + uint64(t.Ref()) + uint64(t.Linkage()) + uint64(t.IntEncoding()) + uint64(t.IntBits())
		sum += uint64(t.IntOffset()) + uint64(t.Array().Count) + uint64(t.ComponentIndex()) + uint64(d.Resolve(id).Kind())
		if t.KindFlag() {
			sum++
		}
		for i, m := range t.Members() {
			sum += uint64(i) + uint64(len(m.Name)) + uint64(m.Type) + uint64(m.BitOffset) + uint64(m.BitSize)
		}
		for i, p := range t.Params() {
			sum += uint64(i) + uint64(len(p.Name)) + uint64(p.Type)
		}
		for i, v := range t.Vars() {
			sum += uint64(i) + uint64(v.Type) + uint64(v.Offset) + uint64(v.Size)
		}
		for i, e := range t.Enums() {
			sum += uint64(i) + uint64(len(e.Name)) + e.Value
		}
		size, err := d.SizeOf(id)
		if err != nil {
			sum += uint64(len(err.Error()))
		}
		sum += uint64(size) + uint64(len(btf.Diff(d, id, d, (id+1)%btf.ID(d.Len()))))
	}
	return sum
}
