package object

import (
	"github.com/pinion-bpf/pinion/internal/order"
	"github.com/pinion-bpf/pinion/internal/text"
)

// image is a program as BPF_PROG_LOAD takes it, but for the file descriptors of its maps.
type image struct {
	insns      []byte      // the program's function, then each subprogram that it reaches, once; in the object's byte order
	maps       []mapFixup  // instructions that want a map
	jumpTables []jumpTable // instructions that want the address of a jump table
	poisoned   []poison    // instructions that must not run, in no order
	funcInfo   []byte      // struct bpf_func_info, one for each function, of funcInfoSize bytes; empty if not all have one
	lineInfo   []byte      // struct bpf_line_info, of lineInfoSize bytes; empty if not all functions have them
	big        bigEndian   // the byte order of all of it

	funcInfoSize, lineInfoSize uint32
}

// poison is an instruction that asks the kernel for what it has not, and was made one that the verifier refuses wherever it can be reached.
type poison struct {
	insn uint32 // index of the instruction
	fix  uint32 // which of the object's accesses it was
}

// mapFixup is a 64-bit load that wants the file descriptor of a map in its immediate. What else it needs it has.
type mapFixup struct {
	insn uint32 // index of the instruction
	spec int32  // index of the map in Spec.Maps
}

// setMap puts a map's file descriptor where a fix-up wants it.
func (m *image) setMap(fixup mapFixup, fd int) {
	m.big.setImmediate(m.insns[int(fixup.insn)*insnSize:], int32(fd))
}

// count returns the number of instructions.
func (m *image) count() int { return len(m.insns) / insnSize }

// assembler puts programs of one object together. It is not for several goroutines at once; what it makes is.
type assembler struct {
	src     *source
	fixes   typeFixes // nil if there are no kernel types
	ksyms   ksymFixes // nil if the object has none of .ksyms
	at      []int32   // for each function, where in the image it begins, in instructions; -1 if it is not in it
	order   []int32   // the functions in the image
	calls   []call    // of those functions: each one's together, in the order of its instructions
	pending []pending // functions whose calls are being followed
	refused bool      // a function in it needs what cannot be loaded
	lacking int32     // the first function in it that needs kernel types, which there are not; else nowhere
	image   *image
}

// call is an instruction that has a function's distance in it: a call, or a load of its address.
type call struct {
	insn     uint32 // index in the image
	function int32  // that is called; nowhere if it is not the object's
}

const nowhere = -1

// pending is a run of calls that are yet to be followed.
type pending struct{ next, end int }

func newAssembler(s *Spec, fixes typeFixes, ksyms ksymFixes) *assembler {
	a := &assembler{src: s.source, fixes: fixes, ksyms: ksyms, lacking: nowhere, at: make([]int32, len(s.source.functions))}
	for i := range a.at {
		a.at[i] = -1
	}
	return a
}

// assemble puts a program and the subprograms that it reaches into one image. Their order is libbpf's: each is appended where
// it is first called, before the calls that come after are followed. So the kernel gives a program the same tag whoever loads it.
//
// The error wraps [ErrUnsupported] if the program needs what cannot be loaded, and [ErrFormat] if its relocations or
// instructions are wrong.
func (a *assembler) assemble(p *ProgramSpec) (*image, error) {
	defer a.reset()
	a.image = &image{big: a.src.big}
	if err := a.place(p.function); err != nil {
		return nil, err
	}
	if err := a.followCalls(); err != nil {
		return nil, err
	}
	if a.ksyms != nil {
		if err := a.ksyms.placeCatcher(a, p); err != nil {
			return nil, err
		}
	}
	if a.refused {
		return nil, a.refusal(p)
	}
	if a.lacking != nowhere {
		return nil, noKernelTypes(p, &a.src.functions[a.lacking])
	}
	a.addDebugInfo()
	return a.image, nil
}

// followCalls appends what the functions in the image call and is not in it yet, and writes the distance into each call.
func (a *assembler) followCalls() error {
	for len(a.pending) > 0 {
		run := &a.pending[len(a.pending)-1]
		if run.next == run.end {
			a.pending = a.pending[:len(a.pending)-1]
			continue
		}
		c := a.calls[run.next]
		run.next++
		if c.function == nowhere {
			continue
		}
		if a.at[c.function] < 0 {
			if err := a.place(c.function); err != nil {
				return err
			}
		}
		// The distance is counted from the instruction after, in whole instructions.
		a.src.big.setImmediate(a.image.insns[int(c.insn)*insnSize:], a.at[c.function]-int32(c.insn)-1)
	}
	return nil
}

// reset forgets the last program.
func (a *assembler) reset() {
	for _, f := range a.order {
		a.at[f] = -1
	}
	a.order, a.calls, a.pending, a.image = a.order[:0], a.calls[:0], a.pending[:0], nil
	a.refused, a.lacking = false, nowhere
}

// refusal says what the functions in the image need.
func (a *assembler) refusal(p *ProgramSpec) error {
	what, ksyms := "", a.src.ksymNames()
	for _, index := range a.order {
		what += listed(a.src.featuresOf(index, ksyms))
	}
	return unsupported(text.Form("program {} needs what cannot be loaded{}").Quote(p.Name).Add(what).String())
}

// place appends a function to the image, relocates it, and notes its calls.
func (a *assembler) place(index int32) error {
	f := &a.src.functions[index]
	base := a.image.count()
	if base+int(f.count) > maxInstructions {
		return malformed(text.Form("with function {} the program has more than {} instructions, the most that the kernel takes").
			Quote(f.name).Int(maxInstructions).String())
	}
	a.at[index] = int32(base)
	a.order = append(a.order, index)
	a.refused = a.refused || f.structOps
	a.image.insns = append(a.image.insns, a.src.code(f)...)
	first := len(a.calls)
	if err := a.relocate(f, uint32(base)); err != nil {
		return err
	}
	if err := a.findCalls(f, uint32(base), first); err != nil {
		return err
	}
	if err := a.fitTypes(index, base); err != nil {
		return err
	}
	a.pending = append(a.pending, pending{first, len(a.calls)})
	return nil
}

// relocate applies the relocations of a function that begins at base; those of functions become calls.
func (a *assembler) relocate(f *function, base uint32) error {
	last := int64(-1)
	for rels := a.src.relocations(f); len(rels) > 0; rels = rels[relocationSize:] {
		var ref reference
		if err := a.src.resolve(&ref, f, a.src.relocation(rels)); err != nil {
			return err
		}
		if int64(ref.insn) == last {
			return malformed(text.Form("two relocations change instruction {} of function {}").Uint(uint64(ref.insn)).Quote(f.name).String())
		}
		last = int64(ref.insn)
		insn := a.image.insns[int(base+ref.insn)*insnSize:]
		if insn[0] == opLoad64 && len(insn) < 2*insnSize {
			return halfLoad(f, ref.insn)
		}
		if ref.kind == toExtern && a.ksyms != nil {
			known, err := a.ksyms.apply(f, &ref, insn)
			if err != nil {
				return err
			}
			if known {
				a.addCall(base+ref.insn, nowhere)
				continue
			}
		}
		if ref.kind == toJumpTable {
			if err := a.addJumpTable(f, &ref, base); err != nil {
				return err
			}
		}
		a.apply(&ref, base+ref.insn, insn)
	}
	return nil
}

// apply writes into an instruction, and notes, what it refers to.
func (a *assembler) apply(ref *reference, at uint32, insn []byte) {
	big := a.src.big
	switch ref.kind {
	case toMap:
		big.setSourceRegister(insn, pseudoMapFD)
		big.setImmediate(insn, 0) // the addend is used up
		a.addMap(at, ref.index)
	case toJumpTable:
		big.setSourceRegister(insn, pseudoMapValue)
		big.setImmediate(insn[insnSize:], 0)
	case toData:
		big.setSourceRegister(insn, pseudoMapValue)
		big.setImmediate(insn, 0)
		big.setImmediate(insn[insnSize:], int32(ref.offset))
		a.addMap(at, ref.index)
	case toFunction:
		if insn[0] == opLoad64 {
			big.setSourceRegister(insn, pseudoFunction)
		}
		a.addCall(at, ref.index)
	default:
		a.refused = true
		a.addCall(at, nowhere)
	}
}

//go:noinline
func (a *assembler) addMap(at uint32, spec int32) {
	a.image.maps = append(a.image.maps, mapFixup{at, spec})
}

//go:noinline
func (a *assembler) addCall(at uint32, function int32) {
	a.calls = append(a.calls, call{at, function})
}

// findCalls checks the instructions of a function that begins at base, and adds calls that have no relocation, as those within a section may
// have none, to those from first on.
func (a *assembler) findCalls(f *function, base uint32, first int) error {
	src, known, next := a.src, len(a.calls), first
	code := src.code(f)
	for i := uint32(0); i < f.count; i++ {
		insn := code[i*insnSize:]
		if next < known && a.calls[next].insn == base+i {
			next++
		} else if insn[0] == opLoad64 && src.big.sourceRegister(insn) == pseudoFunction {
			return malformed(text.Form("instruction {} of function {} loads a function's address, but has no relocation").
				Uint(uint64(i)).Quote(f.name).String())
		} else if insn[0] == opCall && src.big.sourceRegister(insn) == pseudoCall {
			target := int64(f.start) + int64(i) + 1 + int64(src.big.immediate(insn))
			callee := src.functionAt(int(f.section), target)
			if callee < 0 {
				return malformed(text.Form("instruction {} of function {} calls instruction {} of its section, where no function begins").
					Uint(uint64(i)).Quote(f.name).Int64(target).String())
			}
			a.addCall(base+i, int32(callee))
		}
		if insn[0] != opLoad64 {
			continue
		}
		if len(insn) < 2*insnSize || insn[insnSize] != 0 {
			return halfLoad(f, i)
		}
		i++
	}
	calls := a.calls[first:]
	order.Sort(len(calls),
		func(a, b int) bool { return calls[a].insn < calls[b].insn },
		func(a, b int) { calls[a], calls[b] = calls[b], calls[a] })
	return nil
}

func halfLoad(f *function, insn uint32) error {
	return malformed(text.Form("instruction {} of function {} is a 64-bit load without its second half").
		Uint(uint64(insn)).Quote(f.name).String())
}
