package object_test

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/object"
)

// asmInsn is an instruction by its parts, so that it can be written for either byte order.
type asmInsn struct {
	op       byte
	dst, src byte
	off      int16
	imm      int32
}

func (i asmInsn) bytes(order binary.ByteOrder) []byte {
	b := []byte{i.op, i.src<<4 | i.dst, 0, 0, 0, 0, 0, 0}
	if order == binary.ByteOrder(binary.BigEndian) {
		b[1] = i.dst<<4 | i.src
	}
	order.PutUint16(b[2:], uint16(i.off))
	order.PutUint32(b[4:], uint32(i.imm))
	return b
}

func code(order binary.ByteOrder, insns []asmInsn) (all []byte) {
	for _, i := range insns {
		all = append(all, i.bytes(order)...)
	}
	return all
}

const (
	mov64, mov32, add64, movReg = 0xb7, 0xb4, 0x07, 0xbf
	ld64                        = 0x18
	ldxW, ldxDW, stxW, stB      = 0x61, 0x79, 0x63, 0x72
)

var poisoned = asmInsn{op: 0x85, imm: 0xbad2310}

// patchCase is an instruction, what it is fitted to, and what becomes of it.
type patchCase struct {
	code, want []asmInsn
	fix        btf.Fix
	err        error
	says       string
}

func patchCases() map[string]patchCase {
	values := func(old, now uint64) btf.Fix { return btf.Fix{Old: old, New: now} }
	enum := func(old, now uint64) btf.Fix { return btf.Fix{Old: old, New: now, Value32: true, New32: true} }
	resized := func(oldSize, newSize uint32, bad bool) btf.Fix {
		return btf.Fix{Old: 4, New: 8, OldSize: oldSize, NewSize: newSize, BadSize: bad}
	}
	wide := func(value uint64) []asmInsn { // a load of 64 bits
		return []asmInsn{{ld64, 3, 0, 0, int32(uint32(value))}, {imm: int32(value >> 32)}}
	}
	const high = 0x80000001
	return map[string]patchCase{
		"move":             {code: []asmInsn{{mov64, 7, 0, 0, 4}}, fix: values(4, 1234), want: []asmInsn{{mov64, 7, 0, 0, 1234}}},
		"move 32":          {code: []asmInsn{{mov32, 7, 0, 0, 4}}, fix: values(4, high), want: []asmInsn{{mov32, 7, 0, 0, math.MinInt32 + 1}}},
		"add":              {code: []asmInsn{{add64, 1, 0, 0, 4}}, fix: values(4, 8), want: []asmInsn{{add64, 1, 0, 0, 8}}},
		"add a register":   {code: []asmInsn{{movReg, 1, 2, 0, 0}}, fix: values(0, 8), err: object.ErrFormat, says: "takes no constant"},
		"another constant": {code: []asmInsn{{mov64, 7, 0, 0, 5}}, fix: values(4, 8), err: object.ErrFormat, says: "has 5, and by the object's types it should be 4"},
		"unsure":           {code: []asmInsn{{mov64, 7, 0, 0, 5}}, fix: btf.Fix{Old: 4, New: 8, Unsure: true}, want: []asmInsn{{mov64, 7, 0, 0, 8}}},
		"too large":        {code: []asmInsn{{mov64, 7, 0, 0, 4}}, fix: values(4, high), err: object.ErrRelocation, says: "2147483649 does not fit into the 32 bits"},
		"much too large":   {code: []asmInsn{{mov32, 7, 0, 0, 4}}, fix: values(4, 1<<32), err: object.ErrRelocation, says: "does not fit"},
		"negative":         {code: []asmInsn{{mov64, 7, 0, 0, -1}}, fix: enum(math.MaxUint64, math.MaxUint64-1), want: []asmInsn{{mov64, 7, 0, 0, -2}}},
		"missing":          {code: []asmInsn{{mov64, 7, 0, 0, 4}}, fix: btf.Fix{Missing: true}, want: []asmInsn{poisoned}},

		"wide":                {code: wide(4), fix: values(4, 1<<40|7), want: wide(1<<40 | 7)},
		"wide, high":          {code: wide(high), fix: enum(high, high+1), want: wide(high + 1)},
		"wide, negative":      {code: wide(math.MaxUint64), fix: enum(math.MaxUint64, math.MaxUint64-1), want: wide(math.MaxUint64 - 1)},
		"wide, old compiler":  {code: wide(math.MaxUint64), fix: enum(math.MaxUint32, math.MaxUint32-1), want: wide(math.MaxUint64 - 1)},
		"wide, another":       {code: wide(5), fix: values(4, 8), err: object.ErrFormat, says: "has 5"},
		"wide, missing":       {code: wide(4), fix: btf.Fix{Missing: true}, want: []asmInsn{poisoned, poisoned}},
		"address of a map":    {code: []asmInsn{{ld64, 3, 1, 0, 0}, {}}, fix: btf.Fix{Missing: true}, err: object.ErrFormat, says: "none that could be fitted"},
		"half of a load":      {code: []asmInsn{{ld64, 3, 0, 0, 0}, {op: mov64}}, fix: values(0, 1), err: object.ErrFormat, says: "none that could"},
		"second half":         {code: []asmInsn{{}, {op: mov64}}, fix: values(0, 1), err: object.ErrFormat, says: "none that could"},
		"call":                {code: []asmInsn{{0x85, 0, 0, 0, 4}}, fix: btf.Fix{Missing: true}, err: object.ErrFormat, says: "none that could"},
		"jump":                {code: []asmInsn{{0x55, 0, 0, 4, 4}}, fix: values(4, 8), err: object.ErrFormat, says: "none that could"},
		"load at the end":     {code: []asmInsn{{ld64, 3, 0, 0, 0}}, fix: values(0, 1), err: object.ErrFormat, says: "none that could"},
		"load":                {code: []asmInsn{{ldxW, 1, 6, 4, 0}}, fix: values(4, 1000), want: []asmInsn{{ldxW, 1, 6, 1000, 0}}},
		"store":               {code: []asmInsn{{stxW, 1, 6, 4, 0}}, fix: values(4, 8), want: []asmInsn{{stxW, 1, 6, 8, 0}}},
		"store a constant":    {code: []asmInsn{{stB, 1, 0, 4, 77}}, fix: values(4, 8), want: []asmInsn{{stB, 1, 0, 8, 77}}},
		"far":                 {code: []asmInsn{{ldxW, 1, 6, 4, 0}}, fix: values(4, 1<<15), err: object.ErrRelocation, says: "32768 bytes into its type, too far"},
		"another offset":      {code: []asmInsn{{ldxW, 1, 6, 5, 0}}, fix: values(4, 8), err: object.ErrFormat, says: "has 5"},
		"load of less":        {code: []asmInsn{{ldxDW, 1, 6, 4, 0}}, fix: resized(8, 4, false), want: []asmInsn{{ldxW, 1, 6, 8, 0}}},
		"store of more":       {code: []asmInsn{{stxW, 1, 6, 4, 0}}, fix: resized(4, 8, false), want: []asmInsn{{0x7b, 1, 6, 8, 0}}},
		"to a byte":           {code: []asmInsn{{stxW, 1, 6, 4, 0}}, fix: resized(4, 1, false), want: []asmInsn{{0x73, 1, 6, 8, 0}}},
		"load of part":        {code: []asmInsn{{ldxW, 1, 6, 4, 0}}, fix: resized(8, 4, false), err: object.ErrFormat, says: "4 bytes of a field of 8"},
		"load of 16":          {code: []asmInsn{{ldxW, 1, 6, 4, 0}}, fix: resized(4, 16, false), err: object.ErrRelocation, says: "has 16 bytes"},
		"load with a sign":    {code: []asmInsn{{ldxW, 1, 6, 4, 0}}, fix: resized(4, 8, true), want: []asmInsn{poisoned}},
		"constant for a load": {code: []asmInsn{{mov64, 1, 0, 0, 4}}, fix: resized(4, 8, true), want: []asmInsn{{mov64, 1, 0, 0, 8}}},
	}
}

func TestCorePatch(t *testing.T) {
	for name, c := range patchCases() {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			big := order == binary.ByteOrder(binary.BigEndian)
			got := code(order, c.code)
			poison, err := object.Fit(got, big, c.fix)
			if c.err != nil {
				if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s, %s: %v; want %q", name, order, err, c.says)
				}
				continue
			}
			if err != nil || poison != (c.want[0] == poisoned) {
				t.Errorf("%s, %s: poisoned %v, %v", name, order, poison, err)
			}
			if diff := cmp.Diff(code(order, c.want), got); diff != "" {
				t.Errorf("%s, %s: -want +got:\n%s", name, order, diff)
			}
		}
	}
}
