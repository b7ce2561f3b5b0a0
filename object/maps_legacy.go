package object

import (
	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// legacyMapSize is the length in bytes of struct bpf_map_def (bpf_helpers.h before libbpf 1.0): five words.
const legacyMapSize = 20

// countLegacyMaps returns how many maps are defined in the old way.
func (src *source) countLegacyMaps() (n int) {
	for i := range src.sections {
		if src.sections[i].role == roleLegacyMaps {
			n += len(src.objectsOf(i))
		}
	}
	return n
}

// addLegacy reads the definitions in "maps" and "maps/...".
func (b *mapBuilder) addLegacy() error {
	for i := range b.src.sections {
		if b.src.sections[i].role != roleLegacyMaps {
			continue
		}
		if err := b.addLegacySection(&b.src.file.Sections[i], b.src.objectsOf(i)); err != nil {
			return err
		}
	}
	return nil
}

// addLegacySection reads one section of definitions. Nothing tells how long one is but the number of symbols: programs brought
// their own struct bpf_map_def, often with more fields.
func (b *mapBuilder) addLegacySection(sec *elf.Section, symbols []elf.Symbol) error {
	fail := func(what string) error {
		return malformed(text.Form("section {} of map definitions: {}").Quote(sec.Name).Add(what).String())
	}
	n := uint64(len(symbols))
	if n == 0 {
		return fail(text.Form("it has {} bytes, but no symbol names a map").Uint(sec.Size).String())
	}
	size := sec.Size / n
	if sec.Size%n != 0 || size < legacyMapSize {
		return fail(text.Form("its {} bytes cannot be {} definitions of one size, each of 20 bytes or more").Uint(sec.Size).Uint(n).String())
	}
	for i := range symbols {
		symbol := &symbols[i]
		switch name := text.Quote(symbol.Name); {
		case symbol.Value != uint64(i)*size:
			return fail(text.Form("map {} begins at byte {}, not at {} as one of definitions of one size would").
				Add(name).Uint(symbol.Value).Uint(uint64(i) * size).String())
		case symbol.Size != 0 && symbol.Size != size:
			return fail(text.Form("map {} has {} bytes, not {}").Add(name).Uint(symbol.Size).Uint(size).String())
		}
		def := sec.Data[symbol.Value:][:size]
		for at, extra := range def[legacyMapSize:] {
			if extra != 0 {
				return fail(text.Form(`map {} has fields beyond map_flags, and byte {} of its definition is not 0: what it means cannot be known; define the map in section ".maps"`).
					Quote(symbol.Name).Int(legacyMapSize + at).String())
			}
		}
		b.add(symbol.Name, sec, symbol.Value, size).readLegacy(def)
	}
	return nil
}

// readLegacy reads one definition.
func (m *MapSpec) readLegacy(def []byte) {
	big := m.source.big
	m.Type, m.KeySize, m.ValueSize = sys.MapType(big.uint32(def)), big.uint32(def[4:]), big.uint32(def[8:])
	m.MaxEntries, m.Flags = big.uint32(def[12:]), big.uint32(def[16:])
}
