package btf

import "github.com/pinion-bpf/pinion/internal/text"

// Records are the records of one kind for one ELF section, as .BTF.ext has them: in the file's byte order, with instruction offsets in bytes from the
// section's start (the kernel wants them in instructions). A record may be longer than this package knows; the kernel may refuse the longer one with E2BIG.
type Records struct {
	RecSize uint32 // bytes in a record
	Count   uint32
	Data    []byte // RecSize*Count bytes of the blob: not a copy
	Offset  uint32 // where in .BTF.ext they begin, in bytes
}

// FuncInfo tells which function begins at an instruction: struct bpf_func_info.
type FuncInfo struct {
	InsnOff uint32 // bytes into the section
	Type    ID     // a FUNC
}

// LineInfo tells which source line an instruction, and those up to the next record, come from: struct bpf_line_info.
type LineInfo struct {
	InsnOff     uint32 // bytes into the section
	FileNameOff uint32 // for [Data.String]
	LineOff     uint32 // the line's text, for [Data.String]
	LineCol     uint32 // line number << 10 | column
}

// CORERelo is one CO-RE relocation: struct bpf_core_relo.
type CORERelo struct {
	InsnOff   uint32 // bytes into the section
	Type      ID     // what the access begins at, in the object's own BTF
	AccessOff uint32 // "0:1:2", for [Data.String]
	Kind      COREKind
	At        uint32 // where in .BTF.ext the relocation lies, in bytes
}

// FuncInfoAt decodes the ith record of what [Ext.FuncInfo] returned; the zero FuncInfo if there is none.
func (e *Ext) FuncInfoAt(r Records, i int) FuncInfo {
	w := e.words(r, i)
	return FuncInfo{InsnOff: w[0], Type: ID(w[1])}
}

// LineInfoAt decodes the ith record of what [Ext.LineInfo] returned; the zero LineInfo if there is none.
func (e *Ext) LineInfoAt(r Records, i int) LineInfo {
	w := e.words(r, i)
	return LineInfo{InsnOff: w[0], FileNameOff: w[1], LineOff: w[2], LineCol: w[3]}
}

// COREReloAt decodes the ith record of what [Ext.CORERelos] returned; if there is none, a CORERelo of zeros but for At.
func (e *Ext) COREReloAt(r Records, i int) CORERelo {
	w := e.words(r, i)
	return CORERelo{InsnOff: w[0], Type: ID(w[1]), AccessOff: w[2], Kind: COREKind(w[3]), At: r.Offset + uint32(i)*r.RecSize}
}

// words returns the first words of a record, zeros for those that it does not have.
func (e *Ext) words(r Records, i int) (w [4]uint32) {
	if i < 0 || uint64(i) >= uint64(r.Count) {
		return w
	}
	start := uint64(i) * uint64(r.RecSize)
	if start+uint64(r.RecSize) > uint64(len(r.Data)) {
		return w
	}
	rec := r.Data[start : start+uint64(r.RecSize)]
	for n := range min(len(rec)/4, len(w)) {
		w[n] = order32(rec[4*n:], e.data.big)
	}
	return w
}

// checkRecord returns what is wrong with a record, or "".
func (e *Ext) checkRecord(kind infoKind, r Records, i int) string {
	w := e.words(r, i)
	if w[0]%insnSize != 0 {
		return text.Form("instruction offset {} is no multiple of 8").Uint(uint64(w[0])).String()
	}
	switch d := e.data; kind {
	case funcInfo:
		if d.Type(ID(w[1])).Kind() != KindFunc {
			return text.Form("type {} is no func").Uint(uint64(w[1])).String()
		}
	case lineInfo:
		if !d.hasString(w[1]) || !d.hasString(w[2]) {
			return text.Form("file name at {} or line at {} is outside the strings").Uint(uint64(w[1])).Uint(uint64(w[2])).String()
		}
	case coreRelo:
		if !d.hasType(w[1]) {
			return text.Form("type {}, and there is none").Uint(uint64(w[1])).String()
		}
		if !d.hasString(w[2]) {
			return text.Form("access string at {} is outside the strings").Uint(uint64(w[2])).String()
		}
	}
	return ""
}
