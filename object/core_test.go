package object_test

import (
	"encoding/binary"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/object"
)

// fitted fits core_custom, of either byte order, to core_types, and gives what the constants in its instructions became, by what was asked for.
func fitted(t *testing.T, suffix string) map[string]uint64 {
	t.Helper()
	data, err := os.ReadFile(path("core_types" + suffix))
	check(t, err)
	types, err := object.ParseKernelTypes(data)
	check(t, err)
	s := open(t, "core_custom"+suffix)
	a, err := object.NewFittedAssembler(s, types)
	check(t, err)
	m, err := a.Assemble("ask", nil)
	check(t, err)
	order := binary.ByteOrder(binary.LittleEndian)
	if s.BigEndian() {
		order = binary.BigEndian
	}
	got := map[string]uint64{}
	for _, access := range s.Accesses() {
		code := m.Insns[8*access.Instruction:]
		value := uint64(order.Uint32(code[4:]))
		if code[0] == ld64 {
			value |= uint64(order.Uint32(code[12:])) << 32
		}
		got[strings.ReplaceAll(access.What, "struct pinion_item", "item")] = value
	}
	return got
}

// TestCoreByteOrders fits an object of each byte order to types of the same.
func TestCoreByteOrders(t *testing.T) {
	want := map[string]uint64{
		"offset of item.first": 8, "offset of item.second": 12, "size of item.second": 2, "offset of item.list[1]": 28, "offset of item.rest[3]": 80,
		"offset of item.narrow": 16, "size of item.narrow": 4, "signedness of item.narrow": 0, "right shift of item.narrow": 59,
		"offset of item.wide": 16, "size of item.wide": 4, "signedness of item.wide": 0, "right shift of item.wide": 40,
		"offset of item.below": 20, "size of item.below": 4, "signedness of item.below": 1, "right shift of item.below": 57,
		"value of enum pinion_color.PINION_RED": 11, "value of enum pinion_color.PINION_BLUE": 0x80000002,
		"value of enum pinion_depth.PINION_BELOW": 1<<64 - 7, "value of enum pinion_large.PINION_HUGE": 0x1234567890, "size of item": 56,
	}
	for suffix, shifts := range map[string][3]uint64{"": {56, 32, 57}, "-be": {35, 40, 32}} {
		want["left shift of item.narrow"], want["left shift of item.wide"], want["left shift of item.below"] = shifts[0], shifts[1], shifts[2]
		if diff := cmp.Diff(want, fitted(t, suffix)); diff != "" {
			t.Errorf("core_custom%s: -want +got:\n%s", suffix, diff)
		}
	}
	mixed, err := object.ParseKernelTypes(mustRead(t, "core_types-be"))
	check(t, err)
	_, err = object.NewFittedAssembler(open(t, "core_custom"), mixed)
	wantError(t, err, object.ErrRelocation, "byte order")
}

func mustRead(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(path(name))
	check(t, err)
	return data
}

// relocations finds the CO-RE records in core_custom: where in the file .BTF.ext begins, and where in that each record.
func relocations(t *testing.T, data []byte) (ext int, records []int) {
	t.Helper()
	file, err := elf.Parse(data)
	check(t, err)
	raw := file.Section(".BTF.ext").Data
	ext = strings.Index(string(data), string(raw))
	le := binary.LittleEndian
	part := int(le.Uint32(raw[4:]) + le.Uint32(raw[24:]))
	block := part + 4
	for i := range int(le.Uint32(raw[block+4:])) {
		records = append(records, block+8+16*i)
	}
	return ext, records
}

// TestCoreMalformed spoils relocations. The error says which bytes of .BTF.ext are wrong.
func TestCoreMalformed(t *testing.T) {
	types := customTypes(t)
	for name, c := range map[string]struct {
		record, word int
		value        uint32
		says         string // after the place
	}{
		"kind":         {3, 3, 99, "core_relo record: kind 99 is not known"},
		"string":       {3, 2, 0, "core_relo record: access \"\" does not begin with a number"},
		"void":         {3, 1, 0, "core_relo record: type 0, void, has no size"},
		"constant":     {1, 3, 1, "of function \"ask\": the instruction has 0, and by the object's types it should be 4"},
		"order":        {4, 0, 0, "is of an instruction before that of the one before it"},
		"another insn": {0, 0, 8, "of instruction 1 of function \"ask\": the instruction is none that could be fitted"},
	} {
		t.Run(name, func(t *testing.T) {
			data := mustRead(t, "core_custom")
			ext, records := relocations(t, data)
			at := records[c.record]
			binary.LittleEndian.PutUint32(data[ext+at+4*c.word:], c.value)
			s, err := object.Parse("spoilt", data)
			if err == nil {
				var a *object.Assembler
				a, err = object.NewFittedAssembler(s, types)
				check(t, err)
				_, err = a.Assemble("ask", nil)
			}
			wantError(t, err, object.ErrFormat, "byte "+strconv.Itoa(at), c.says)
		})
	}
}

// TestCoreLocalIDs assembles what asks for nothing but ids of its own types, without kernel types, although a linker left the constant behind.
func TestCoreLocalIDs(t *testing.T) {
	data := mustRead(t, "core_custom")
	ext, records := relocations(t, data)
	le, last := binary.LittleEndian, len(records)-1 // that of the size of struct pinion_item, a constant of 32 bits
	typ := le.Uint32(data[ext+records[last]+4:])
	insn := le.Uint32(data[ext+records[last]:])
	for i, at := range records {
		if i < last { // all of the last one's instruction
			copy(data[ext+at:], data[ext+records[last]:][:16])
		}
		le.PutUint32(data[ext+at+12:], 6) // BPF_CORE_TYPE_ID_LOCAL
	}
	s, err := object.Parse("local", data)
	check(t, err)
	if s.NeedsKernelTypes() || len(s.Accesses()) != len(records) {
		t.Errorf("it needs kernel types, or has not %d accesses", len(records))
	}
	m, err := object.NewAssembler(s).Assemble("ask", nil)
	check(t, err)
	if got := le.Uint32(m.Insns[insn+4:]); got != typ {
		t.Errorf("the constant is %d, want %d", got, typ)
	}
	if !slices.ContainsFunc(s.Accesses(), func(a object.Access) bool { return a.What == "local id of struct pinion_item" }) {
		t.Errorf("accesses %v", s.Accesses()[0])
	}
}
