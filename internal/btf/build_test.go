package btf_test

import (
	"bytes"
	"encoding/binary"

	"github.com/pinion-bpf/pinion/internal/btf"
)

// builder writes BTF, one type a call, so that a test shows what it tests.
type builder struct {
	order  binary.ByteOrder
	hdrLen int
	types  []byte
	strs   []byte
	next   btf.ID

	strBase uint32 // of split BTF: where its strings begin
}

func newBuilder(order binary.ByteOrder) *builder {
	return &builder{order: order, hdrLen: 24, strs: []byte{0}, next: 1}
}

func (b *builder) str(s string) uint32 {
	if s == "" {
		return 0
	}
	if i := bytes.Index(b.strs, append(append([]byte{0}, s...), 0)); i >= 0 {
		return b.strBase + uint32(i+1)
	}
	off := b.strBase + uint32(len(b.strs))
	b.strs = append(append(b.strs, s...), 0)
	return off
}

func (b *builder) add(kind btf.Kind, name string, flag bool, vlen int, third uint32, words ...uint32) btf.ID {
	info := uint32(kind)<<24 | uint32(vlen)
	if flag {
		info |= 1 << 31
	}
	b.types = appendWords(b.types, b.order, b.str(name), info, third)
	b.types = appendWords(b.types, b.order, words...)
	b.next++
	return b.next - 1
}

func appendWords(to []byte, order binary.ByteOrder, words ...uint32) []byte {
	for _, w := range words {
		n := len(to)
		to = append(to, 0, 0, 0, 0)
		order.PutUint32(to[n:], w)
	}
	return to
}

func (b *builder) integer(name string, size, encoding uint32) btf.ID {
	return b.add(btf.KindInt, name, false, 0, size, encoding<<24|size*8)
}

// ref adds a type that is only a kind, a name and a reference.
func (b *builder) ref(kind btf.Kind, name string, to btf.ID) btf.ID {
	return b.add(kind, name, false, 0, uint32(to))
}

func (b *builder) array(elem, index btf.ID, count uint32) btf.ID {
	return b.add(btf.KindArray, "", false, 0, 0, uint32(elem), uint32(index), count)
}

type field struct {
	name string
	typ  btf.ID
	off  uint32 // bits; with a bit field's size in the upper 8 if the kind flag is set
}

func (b *builder) composite(kind btf.Kind, name string, flag bool, size uint32, fields ...field) btf.ID {
	var words []uint32
	for _, f := range fields {
		words = append(words, b.str(f.name), uint32(f.typ), f.off)
	}
	return b.add(kind, name, flag, len(fields), size, words...)
}

func (b *builder) structure(name string, size uint32, fields ...field) btf.ID {
	return b.composite(btf.KindStruct, name, false, size, fields...)
}

type value struct {
	name string
	val  int64
}

func (b *builder) enum(kind btf.Kind, name string, size uint32, values ...value) btf.ID {
	var words []uint32
	for _, v := range values {
		words = append(words, b.str(v.name), uint32(v.val))
		if kind == btf.KindEnum64 {
			words = append(words, uint32(uint64(v.val)>>32))
		}
	}
	return b.add(kind, name, false, len(values), size, words...)
}

func (b *builder) proto(returns btf.ID, params ...btf.Param) btf.ID {
	var words []uint32
	for _, p := range params {
		words = append(words, b.str(p.Name), uint32(p.Type))
	}
	return b.add(btf.KindFuncProto, "", false, len(params), uint32(returns), words...)
}

func (b *builder) function(name string, proto btf.ID, linkage uint32) btf.ID {
	return b.add(btf.KindFunc, name, false, int(linkage), uint32(proto))
}

func (b *builder) variable(name string, typ btf.ID, linkage uint32) btf.ID {
	return b.add(btf.KindVar, name, false, 0, uint32(typ), linkage)
}

func (b *builder) datasec(name string, size uint32, vars ...btf.VarSecinfo) btf.ID {
	var words []uint32
	for _, v := range vars {
		words = append(words, uint32(v.Type), v.Offset, v.Size)
	}
	return b.add(btf.KindDatasec, name, false, len(vars), size, words...)
}

// raw returns the blob: header, types, strings.
func (b *builder) raw() []byte {
	hdr := make([]byte, b.hdrLen)
	b.order.PutUint16(hdr, 0xEB9F)
	hdr[2] = 1
	for i, w := range []uint32{uint32(b.hdrLen), 0, uint32(len(b.types)), uint32(len(b.types)), uint32(len(b.strs))} {
		b.order.PutUint32(hdr[4+4*i:], w)
	}
	return bytes.Join([][]byte{hdr, b.types, b.strs}, nil)
}

// extBlock is one section's records, as whole words.
type extBlock struct {
	section uint32
	records [][]uint32
}

type extPart struct {
	recSize uint32
	blocks  []extBlock
}

// ext writes .BTF.ext: up to three parts, a header with room for as many as asked.
func ext(order binary.ByteOrder, hdrLen int, parts ...extPart) []byte {
	hdr := make([]byte, hdrLen)
	order.PutUint16(hdr, 0xEB9F)
	hdr[2] = 1
	order.PutUint32(hdr[4:], uint32(hdrLen))
	var body []byte
	for i, p := range parts {
		start := len(body)
		if p.recSize != 0 {
			body = appendWords(body, order, p.recSize)
		}
		for _, blk := range p.blocks {
			body = appendWords(body, order, blk.section, uint32(len(blk.records)))
			for _, r := range blk.records {
				body = appendWords(body, order, r...)
			}
		}
		order.PutUint32(hdr[8+8*i:], uint32(start))
		order.PutUint32(hdr[12+8*i:], uint32(len(body)-start))
	}
	return append(hdr, body...)
}
