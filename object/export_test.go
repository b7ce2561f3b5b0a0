package object

import "github.com/pinion-bpf/pinion/sys"

// Image is what tests see of a program that was put together.
type Image struct {
	Insns              []byte
	Maps               []string // of each fix-up, in order
	FuncInfo, LineInfo []byte
	FuncInfoSize       uint32
	LineInfoSize       uint32
}

// Assembler puts together programs of one Spec.
type Assembler struct {
	s *Spec
	a *assembler
}

func NewAssembler(s *Spec) *Assembler { return &Assembler{s, newAssembler(s, nil, nil)} }

// NewFittedAssembler is NewAssembler with accesses fitted to kernel types.
func NewFittedAssembler(s *Spec, types *KernelTypes) (*Assembler, error) {
	if !s.hasFitted() { // as fitTypes has it; there may be no BTF then
		return &Assembler{s, newAssembler(s, nil, nil)}, nil
	}
	fixes, err := decideAll(&loader{spec: s, opts: LoadOptions{KernelTypes: types}})
	if err != nil {
		return nil, err
	}
	return &Assembler{s, newAssembler(s, fixes, nil)}, nil
}

// Assemble puts a program together; fd gives each map's descriptor, nil leaves them 0.
func (a *Assembler) Assemble(program string, fd func(m *MapSpec) int) (*Image, error) {
	m, err := a.a.assemble(a.s.Program(program))
	if err != nil {
		return nil, err
	}
	result := &Image{Insns: m.insns, FuncInfo: m.funcInfo, LineInfo: m.lineInfo, FuncInfoSize: m.funcInfoSize, LineInfoSize: m.lineInfoSize}
	for _, fixup := range m.maps {
		spec := a.s.Maps[fixup.spec]
		result.Maps = append(result.Maps, spec.Name)
		if fd != nil {
			m.setMap(fixup, fd(spec))
		}
	}
	return result, nil
}

// KernelBTF is the BTF that would be loaded; if known, by a kernel that knows no more than this one.
func (s *Spec) KernelBTF(known bool) ([]byte, error) {
	types, err := s.kernelBTF(new(ksyms))
	if types == nil {
		return nil, err
	}
	if known {
		types, _ = knownTypes(types)
	}
	return types.Raw(), err
}

// CheckByteOrder is what refuses objects of the other byte order.
func (s *Spec) CheckByteOrder() error { return s.checkByteOrder() }

// Types returns the ids of the map's types of keys and values.
func (m *MapSpec) Types() (key, value uint32) { return uint32(m.keyType), uint32(m.valueType) }

// SectionRow is a row of the table of sections as tests see it.
type SectionRow struct {
	Name       string
	More       bool
	ProgType   sys.ProgType
	AttachType sys.AttachType
}

// SectionTable returns the table of sections.
func SectionTable() (rows []SectionRow) {
	for _, r := range sectionTable {
		rows = append(rows, SectionRow{r.name, r.bits&more != 0, r.progType, r.attachType})
	}
	return rows
}

// Kallsyms looks for the address of one of the object's externs in a list like that of /proc/kallsyms.
func Kallsyms(s *Spec, extern string, list int) (address uint64, why string, err error) {
	k := kallsyms{ksyms: &ksyms{src: s.source, externs: s.source.externs()}}
	k.answers = make([]answer, len(k.externs))
	err = k.read(list)
	k.finish()
	says := k.answers[externAt(k.externs, extern)]
	return says.address, says.why, err
}

// SetOptions sets every extern of .kconfig to each value, as lines of a configuration do.
func SetOptions(s *Spec, values ...string) {
	v := newOptionValues(s.source)
	for i := range v.list {
		for _, value := range values {
			if v.list[i].kind == externKconfig {
				v.setText(i, value)
			}
		}
	}
}
