package object

// Reference is something that an instruction of a program refers to by a relocation.
type Reference struct {
	Instruction int    // counted from the start of the program's function
	Kind        string // "map", "data", "function", "extern" or "jump table"
	Name        string // of a map, a section of data, a function, or the extern's symbol
	Offset      uint32 // into the section of data, in bytes
}

// References lists what the program's own function refers to, in the order of its instructions; what subprograms refer to is
// not in it. The error, about a relocation that makes no sense, wraps [ErrFormat].
func (p *ProgramSpec) References() (all []Reference, err error) {
	src := p.source
	f := &src.functions[p.function]
	for rels := src.relocations(f); len(rels) > 0; rels = rels[relocationSize:] {
		var ref reference
		if err := src.resolve(&ref, f, src.relocation(rels)); err != nil {
			return nil, parseError(p.Name, err)
		}
		r := Reference{Instruction: int(ref.insn), Kind: ref.kind.String(), Name: ref.name, Offset: ref.offset}
		if ref.kind == toMap || ref.kind == toData || ref.kind == toAddress {
			r.Name = src.maps[ref.index].Name
		}
		all = append(all, r)
	}
	return all, nil
}

func (k referenceKind) String() string {
	return [...]string{"map", "data", "function", "jump table", "extern", "data"}[k]
}
