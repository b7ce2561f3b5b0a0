package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/hashicorp/go-multierror"

	"github.com/pinion-bpf/pinion/object"
)

// The fields of inspect's JSON. docs/command-line.md says what they mean; a test holds it to that.
type (
	fileInfo struct {
		File      string         `json:"file"`
		Name      string         `json:"name"`
		License   string         `json:"license"`
		Version   uint32         `json:"version"`
		ByteOrder string         `json:"byte_order"`
		Maps      []mapInfo      `json:"maps"`
		Programs  []programInfo  `json:"programs"`
		Variables []variableInfo `json:"variables"`
		Externs   []externInfo   `json:"externs"`
		Accesses  []accessInfo   `json:"accesses"`
		Lacks     []lackInfo     `json:"lacks"`
	}
	mapInfo struct {
		Name       string     `json:"name"`
		Section    string     `json:"section"`
		Type       string     `json:"type"`
		KeySize    uint32     `json:"key_size"`
		ValueSize  uint32     `json:"value_size"`
		MaxEntries uint32     `json:"max_entries"`
		Flags      uint32     `json:"flags"`
		Extra      uint64     `json:"map_extra"`
		Pinning    uint32     `json:"pinning"`
		Inner      *mapInfo   `json:"inner,omitempty"`
		Slots      []slotInfo `json:"slots,omitempty"`
	}
	slotInfo struct {
		Index uint32 `json:"index"`
		Name  string `json:"name"`
	}
	programInfo struct {
		Name         string           `json:"name"`
		Section      string           `json:"section"`
		Type         string           `json:"type"`
		AttachType   string           `json:"attach_type"`
		AttachTo     string           `json:"attach_to"`
		Instructions int              `json:"instructions"`
		Autoload     bool             `json:"autoload"`
		Autoattach   bool             `json:"autoattach"`
		Relocations  []relocationInfo `json:"relocations"`
	}
	relocationInfo struct {
		Instruction int    `json:"instruction"`
		Kind        string `json:"kind"`
		Name        string `json:"name"`
		Offset      uint32 `json:"offset"`
	}
	variableInfo struct {
		Name   string `json:"name"`
		Map    string `json:"map"`
		Offset int    `json:"offset"`
		Size   int    `json:"size"`
	}
	externInfo struct {
		Name string `json:"name"`
		Kind string `json:"kind"`
		Weak bool   `json:"weak"`
	}
	accessInfo struct {
		Function    string `json:"function"`
		Section     string `json:"section"`
		Instruction int    `json:"instruction"`
		What        string `json:"what"`
		Source      string `json:"source"`
		Line        int    `json:"line"`
	}
	lackInfo struct {
		Kind  string `json:"kind"`
		Where string `json:"where"`
	}
)

// inspect shows what files hold. One that cannot be read does not stop the others.
func inspect(c *call) error {
	paths, err := c.parse(c.flags(), 1, anyNumber)
	if err != nil {
		return err
	}
	var files []fileInfo
	var failures *multierror.Error
	for _, path := range paths {
		file, err := inspectFile(path)
		if err != nil {
			failures = multierror.Append(failures, err)
			continue
		}
		files = append(files, file)
	}
	err = c.print(files, func(out io.Writer) {
		for i, file := range files {
			if i > 0 {
				fmt.Fprintln(out)
			}
			file.print(out)
		}
	})
	if err != nil {
		return err
	}
	return failures.ErrorOrNil()
}

func inspectFile(path string) (fileInfo, error) {
	spec, err := object.Open(path)
	if err != nil {
		return fileInfo{}, err
	}
	file := fileInfo{
		File: path, Name: spec.Name, License: spec.License, Version: spec.Version, ByteOrder: "little",
		Maps: []mapInfo{}, Programs: []programInfo{}, Variables: []variableInfo{},
		Externs: []externInfo{}, Accesses: []accessInfo{}, Lacks: []lackInfo{},
	}
	if spec.BigEndian() {
		file.ByteOrder = "big"
	}
	for _, m := range spec.Maps {
		file.Maps = append(file.Maps, describeMap(m))
	}
	for _, p := range spec.Programs {
		program, err := describeProgram(p)
		if err != nil {
			return fileInfo{}, err
		}
		file.Programs = append(file.Programs, program)
	}
	for _, v := range spec.Variables {
		file.Variables = append(file.Variables, variableInfo{v.Name(), v.Map().Name, v.Offset(), v.Size()})
	}
	for _, e := range spec.Externs() {
		file.Externs = append(file.Externs, externInfo{e.Name, e.Kind, e.Weak})
	}
	for _, a := range spec.Accesses() {
		file.Accesses = append(file.Accesses, accessInfo{a.Function, a.Section, a.Instruction, a.What, a.File, a.Line})
	}
	for _, f := range spec.Unsupported() {
		file.Lacks = append(file.Lacks, lackInfo{f.Kind, f.Where})
	}
	return file, nil
}

func describeMap(m *object.MapSpec) mapInfo {
	info := mapInfo{
		Name: m.Name, Section: m.Section, Type: m.Type.String(), KeySize: m.KeySize, ValueSize: m.ValueSize, MaxEntries: m.MaxEntries,
		Flags: m.Flags, Extra: m.Extra, Pinning: m.Pinning,
	}
	if m.Inner != nil {
		inner := describeMap(m.Inner)
		info.Inner = &inner
	}
	for _, slot := range m.Slots {
		info.Slots = append(info.Slots, slotInfo{slot.Index, slot.Name})
	}
	return info
}

func describeProgram(p *object.ProgramSpec) (programInfo, error) {
	info := programInfo{
		Name: p.Name, Section: p.Section, Type: p.Type.String(), AttachType: p.AttachType.String(), AttachTo: p.AttachTo,
		Instructions: p.Instructions(), Autoload: p.Autoload, Autoattach: p.Autoattach, Relocations: []relocationInfo{},
	}
	references, err := p.References()
	for _, r := range references {
		info.Relocations = append(info.Relocations, relocationInfo{r.Instruction, r.Kind, r.Name, r.Offset})
	}
	return info, err
}

// print shows the file as tables.
func (f *fileInfo) print(out io.Writer) {
	fmt.Fprintf(out, "%s: object %s, license %s, %s-endian\n", f.File, plain(f.Name), plain(f.License), f.ByteOrder)
	var table [][]string
	for _, m := range f.Maps {
		table = append(table, m.row(plain(m.Name)))
		if m.Inner != nil {
			table = append(table, m.Inner.row("  its inner maps"))
		}
	}
	rows(out, "  ", "MAP TYPE KEY VALUE ENTRIES FLAGS PINNING SECTION", table)
	table = nil
	for _, p := range f.Programs {
		table = append(table, p.row())
	}
	rows(out, "  ", "PROGRAM TYPE SECTION INSTRUCTIONS LOADED ATTACHED REFERS-TO", table)
	table = nil
	for _, v := range f.Variables {
		table = append(table, []string{plain(v.Name), plain(v.Map), strconv.Itoa(v.Offset), strconv.Itoa(v.Size)})
	}
	rows(out, "  ", "VARIABLE MAP OFFSET SIZE", table)
	table = nil
	for _, e := range f.Externs {
		needed := "yes"
		if e.Weak {
			needed = "no (weak)"
		}
		table = append(table, []string{plain(e.Name), e.Kind, needed})
	}
	rows(out, "  ", "EXTERN KIND NEEDED", table)
	table = nil
	for _, a := range f.Accesses {
		source := "-"
		if a.Line > 0 {
			source = plain(a.Source) + ":" + strconv.Itoa(a.Line)
		}
		table = append(table, []string{plain(a.Function), strconv.Itoa(a.Instruction), source, a.What})
	}
	if len(table) > 0 {
		fmt.Fprintf(out, "  %d accesses are fitted to the kernel's types when it is loaded (CO-RE)\n", len(table))
	}
	rows(out, "  ", "FUNCTION INSTRUCTION SOURCE ASKS-FOR", table)
	table = nil
	for _, l := range f.Lacks {
		table = append(table, []string{l.Kind, l.Where})
	}
	rows(out, "  ", "NOT-LOADABLE-YET WHERE", table)
}

func (m *mapInfo) row(name string) []string {
	pinning := "-"
	switch {
	case m.Pinning == object.PinByName:
		pinning = "by name"
	case m.Pinning != object.PinNone:
		pinning = "ignored (" + strconv.FormatUint(uint64(m.Pinning), 10) + ")"
	}
	return []string{
		name, m.Type, decimal(m.KeySize), decimal(m.ValueSize), decimal(m.MaxEntries), "0x" + strconv.FormatUint(uint64(m.Flags), 16), pinning, plain(m.Section),
	}
}

func (p *programInfo) row() []string {
	seen := make(map[string]bool)
	var refers []string
	for _, r := range p.Relocations {
		if name := plain(r.Name); !seen[name] {
			seen[name] = true
			refers = append(refers, name)
		}
	}
	if len(refers) == 0 {
		refers = []string{"-"}
	}
	attached := "by caller"
	if p.Autoattach {
		attached = "by section"
	}
	return []string{plain(p.Name), p.Type, plain(p.Section), strconv.Itoa(p.Instructions), yesNo(p.Autoload), attached, strings.Join(refers, ",")}
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

func yesNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}
