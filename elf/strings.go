package elf

import (
	"strings"
	"unsafe"

	"github.com/pinion-bpf/pinion/internal/text"
)

// MaxName is the length in bytes of the longest name that a section or a symbol may have. It keeps the work in proportion to
// the file: without it every one of many symbols could be named by the same megabytes.
const MaxName = 1<<16 - 1

// readStrings checks a string table (gABI, "String Table") and returns it up to its last NUL. So every offset inside the
// result is that of a name with its NUL, and no longer than MaxName.
func readStrings(s *Section) (string, error) {
	if s.Type != SHT_STRTAB {
		return "", malformed(numbered("section", s.Index), s.Offset, text.Form("it should be a string table, but its type is {}").
			Uint(uint64(s.Type)).String())
	}
	if s.Flags&SHF_COMPRESSED != 0 {
		return "", compressed(s)
	}
	all := unsafe.String(unsafe.SliceData(s.Data), len(s.Data))
	all = all[:strings.LastIndexByte(all, 0)+1]
	if all == "" && s.Size > 0 {
		return "", malformed(numbered("section", s.Index), s.Offset, "it should be a string table, but has no NUL")
	}
	for rest := all; len(rest) > 0; {
		n := strings.IndexByte(rest, 0)
		if n > MaxName {
			return "", malformed(numbered("section", s.Index), s.Offset, text.Form("it has a name of {} bytes; at most {} are allowed").
				Int(n).Int(MaxName).String())
		}
		rest = rest[n+1:]
	}
	return all, nil
}

// compressed refuses a table that would have to be unpacked: no compiler writes one, and gABI lets none that is loaded be.
func compressed(s *Section) error {
	return malformed(numbered("section", s.Index), s.Offset, "it is compressed, which only sections with debug information may be")
}

// noString says that a name's offset is not one that hasString accepts.
func noString(offset uint32, section uint64) string {
	return text.Form("its name, at byte {} of section {}, does not begin and end inside that section").
		Uint(uint64(offset)).Uint(section).String()
}

// hasString reports whether a name begins at that offset. Offset 0 means no name, also where the table is empty.
func hasString(table string, offset uint32) bool {
	return offset == 0 || uint64(offset) < uint64(len(table))
}

// stringAt returns the name at an offset that hasString accepts.
func stringAt(table string, offset uint32) string {
	if table == "" {
		return ""
	}
	rest := table[offset:]
	return rest[:strings.IndexByte(rest, 0)]
}
