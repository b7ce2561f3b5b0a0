package object

import (
	"bytes"

	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/text"
)

// maxString is the length in bytes of the longest string in BTF. Without a limit every one of many types could be named by the
// same megabytes.
const maxString = 1<<16 - 1

// readTypes reads .BTF and .BTF.ext, if the file has them.
func (s *Spec) readTypes() (err error) {
	src := s.source
	sec := src.only(roleBTF)
	if sec == nil {
		return nil
	}
	if src.types, err = btf.Parse(sec.Data); err != nil {
		return err
	}
	if isBig(src.types.Order()) != src.big {
		return malformed("the byte order of .BTF is not that of the file")
	}
	if err := src.checkStrings(sec.Data); err != nil {
		return err
	}
	src.findDatasecs()
	if ext := src.only(roleBTFExt); ext != nil {
		src.ext, err = btf.ParseExt(ext.Data, src.types)
	}
	return err
}

// checkStrings refuses BTF, already parsed, with a string that is too long.
func (src *source) checkStrings(raw []byte) error {
	// hdr_len, str_off and str_len of struct btf_header.
	start := src.big.uint32(raw[4:]) + src.big.uint32(raw[16:])
	rest := raw[start:][:src.big.uint32(raw[20:])]
	for len(rest) > 0 {
		n := bytes.IndexByte(rest, 0)
		if n < 0 || n > maxString {
			return malformed(text.Form("a string in .BTF is longer than {} bytes").Int(maxString).String())
		}
		rest = rest[n+1:]
	}
	return nil
}

// findDatasecs collects the types that describe sections.
func (src *source) findDatasecs() {
	n := 0
	for id := range src.types.Len() {
		if src.types.Type(btf.ID(id)).Kind() == btf.KindDatasec {
			n++
		}
	}
	src.datasecs = make([]btf.Type, 0, n)
	for id := range src.types.Len() {
		if t := src.types.Type(btf.ID(id)); t.Kind() == btf.KindDatasec {
			src.datasecs = append(src.datasecs, t)
		}
	}
}

// datasec returns the type that describes a section, void if there is none.
//
//go:noinline
func (src *source) datasec(section string) btf.Type {
	for _, t := range src.datasecs {
		if t.Name() == section {
			return t
		}
	}
	return btf.Type{}
}
