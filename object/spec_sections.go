package object

import (
	"encoding/binary"
	"strings"

	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/internal/order"
	"github.com/pinion-bpf/pinion/internal/text"
)

// maxData is how many bytes of global data an object may have. A section without contents in the file (.bss) can claim any size.
const maxData = 64 << 20

// maxSectionName is the length in bytes of the longest name of a section: that of a uprobe holds a path.
const maxSectionName = 4096 + 256

const insnSize = 8 // bytes in an instruction

// role is what a section is for.
type role uint8

const (
	roleNone       role = iota
	roleText            // subprograms
	roleProgram         // entry points
	roleMaps            // map definitions in BTF
	roleLegacyMaps      // map definitions as struct bpf_map_def
	roleData            // global data: .data, .rodata and .bss
	roleLicense
	roleVersion
	roleBTF
	roleBTFExt
	roleStructOps
	roleArena      // global data in an arena
	roleJumpTables // addresses of instructions
)

// section is what is known of an ELF section besides what the ELF file says.
type section struct {
	role    role
	dataMap int32  // of global data: index of its map
	rel     int32  // index of the section with its relocations, 0 if it has none
	relData []byte // those relocations, in the order of the places they change
}

// roleOf tells what a section is for, by its name and kind, as libbpf does.
func roleOf(s *elf.Section) role {
	if s.Type != elf.SHT_PROGBITS && s.Type != elf.SHT_NOBITS || s.Size == 0 {
		return roleNone
	}
	if s.Flags&elf.SHF_EXECINSTR != 0 && s.Type == elf.SHT_PROGBITS {
		if isNamed(s.Name, ".text") { // .text.f is what -ffunction-sections makes
			return roleText
		}
		return roleProgram
	}
	switch s.Name {
	case ".maps":
		return roleMaps
	case "maps":
		return roleLegacyMaps
	case "license":
		return roleLicense
	case "version":
		return roleVersion
	case ".BTF":
		return roleBTF
	case ".BTF.ext":
		return roleBTFExt
	case ".addr_space.1":
		return roleArena
	case ".jumptables":
		return roleJumpTables
	}
	switch {
	case isNamed(s.Name, ".data"), isNamed(s.Name, ".rodata"), isNamed(s.Name, ".bss"):
		return roleData
	case strings.HasPrefix(strings.TrimPrefix(s.Name, "?"), ".struct_ops"):
		return roleStructOps
	case strings.HasPrefix(s.Name, "maps/"):
		return roleLegacyMaps
	}
	return roleNone
}

// isNamed reports whether a section is base itself or one of its kind, such as .data.x.
func isNamed(name, base string) bool {
	rest, found := text.CutPrefix(name, base)
	return found && (rest == "" || rest[0] == '.')
}

// readSections finds out what each section is for, and takes license and version from theirs.
func (s *Spec) readSections() error {
	src := s.source
	f := src.file
	switch {
	case f.Type != elf.ET_REL:
		return malformed(text.Form("ELF type {}, not the relocatable file (1) that a compiler writes").Uint(uint64(f.Type)).String())
	case f.Machine != elf.EM_BPF && f.Machine != elf.EM_NONE:
		return malformed(text.Form("it is for machine {}, not for BPF (247); build it with -target bpf").Uint(uint64(f.Machine)).String())
	}
	src.sections = make([]section, len(f.Sections))
	var data uint64
	for i := range f.Sections {
		sec := &f.Sections[i]
		r := roleOf(sec)
		src.sections[i].role = r
		if r == roleData || r == roleArena {
			data += min(sec.Size, maxData+1)
		}
		if err := checkSection(sec, r); err != nil {
			return err
		}
	}
	if data > maxData {
		return malformed(text.Form("more than {} bytes of global data").Int(maxData).String())
	}
	if err := src.checkSectionNames(); err != nil {
		return err
	}
	if err := src.findRelocations(); err != nil {
		return err
	}
	src.gas = src.readsAsGas()
	return s.readLicenseAndVersion()
}

// checkSection refuses a section that cannot serve its role.
func checkSection(sec *elf.Section, r role) error {
	switch {
	case r == roleNone:
		return nil
	case len(sec.Name) > maxSectionName:
		return nameTooLong("section", sec.Name, maxSectionName)
	case sec.Flags&elf.SHF_COMPRESSED != 0:
		return malformed(text.Form("section {} is compressed").Quote(sec.Name).String())
	case r != roleData && sec.Data == nil:
		return malformed(text.Form("section {} has no contents (SHT_NOBITS)").Quote(sec.Name).String())
	case (r == roleText || r == roleProgram) && sec.Size%insnSize != 0:
		return malformed(text.Form("section {} has {} bytes, which is no multiple of 8, the size of an instruction").
			Quote(sec.Name).Uint(sec.Size).String())
	}
	return nil
}

// checkSectionNames refuses two sections of one name: BTF, and programs, know sections by name only. Nobody asks for that of the license.
func (src *source) checkSectionNames() error {
	named := make([]int32, 0, len(src.sections))
	for i := range src.sections {
		if r := src.sections[i].role; r != roleNone && r != roleLicense {
			named = append(named, int32(i))
		}
	}
	name := func(i int) string { return src.file.Sections[named[i]].Name }
	if i, j := twin(len(named), name); i >= 0 {
		return malformed(text.Form("sections {} and {} are both called {}").Int(int(named[i])).Int(int(named[j])).Quote(name(i)).String())
	}
	return nil
}

// findRelocations finds the relocations of every section that the loader has to relocate.
func (src *source) findRelocations() error {
	for i := range src.file.Sections {
		rel := &src.file.Sections[i]
		if rel.Type != elf.SHT_REL && rel.Type != elf.SHT_RELA || uint64(rel.Info) >= uint64(len(src.sections)) {
			continue
		}
		target := &src.sections[rel.Info]
		switch target.role {
		case roleText, roleProgram, roleMaps, roleData, roleArena:
		default: // debug information, and what is not loaded
			continue
		}
		switch {
		case rel.Type == elf.SHT_RELA:
			return malformed(text.Form("section {} has relocations with addends (SHT_RELA); those of BPF have none (SHT_REL)").
				Quote(rel.Name).String())
		case target.rel != 0:
			return malformed(text.Form("sections {} and {} both have relocations for {}").
				Int(int(target.rel)).Int(i).Quote(src.file.Sections[rel.Info].Name).String())
		}
		target.rel = int32(i)
		target.relData = sortedRelocations(rel.Data, src.file.Order)
	}
	return nil
}

// sortedRelocations returns relocations in the order of the places they change: as they are if they are in order, else a copy.
func sortedRelocations(data []byte, byteOrder binary.ByteOrder) []byte {
	offset := func(i int) uint64 { return byteOrder.Uint64(data[i*relocationSize:]) }
	n := len(data) / relocationSize
	byOffset := func(a, b int) bool { return offset(a) < offset(b) }
	if order.InOrder(n, byOffset) {
		return data
	}
	result := make([]byte, 0, len(data))
	for _, i := range order.Indices(n, byOffset) {
		result = append(result, data[i*relocationSize:][:relocationSize]...)
	}
	return result
}

// readLicenseAndVersion reads the two sections that hold one value each.
func (s *Spec) readLicenseAndVersion() error {
	for i := range s.source.sections {
		if s.source.sections[i].role != roleLicense {
			continue
		}
		// Objects that were linked, or that include others, can have several. The first counts, as with libbpf.
		for rest, found := view(s.source.file.Sections[i].Data), true; found && s.License == ""; {
			s.License, rest, found = text.Cut(rest, 0)
		}
	}
	sec := s.source.only(roleVersion)
	if sec == nil {
		return nil
	}
	if len(sec.Data) != 4 {
		return malformed(text.Form(`section "version" has {} bytes, not the 4 of a kernel version`).Int(len(sec.Data)).String())
	}
	s.Version = s.source.big.uint32(sec.Data)
	return nil
}

// only returns the section of a role that just one section can have, nil if none has it.
//
//go:noinline
func (src *source) only(r role) *elf.Section {
	for i := range src.sections {
		if src.sections[i].role == r {
			return &src.file.Sections[i]
		}
	}
	return nil
}
