package object

import (
	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/order"
)

// addDebugInfo copies the func_info and line_info of the functions in the image, with instruction offsets as the kernel wants
// them: in instructions, from the start of the image. The kernel takes either only if every function has it
// (kernel/bpf/verifier.c, check_btf_func and check_btf_line).
func (a *assembler) addDebugInfo() {
	if a.src.ext == nil {
		return
	}
	a.image.funcInfo, a.image.funcInfoSize = a.collect(a.src.ext.FuncInfo)
	a.image.lineInfo, a.image.lineInfoSize = a.collect(a.src.ext.LineInfo)
}

// collect gathers one kind of records, which all have one size. If a function lacks one for its first instruction there are none.
func (a *assembler) collect(find func(section string) (btf.Records, bool)) (all []byte, size uint32) {
	big := a.src.big
	for _, index := range a.order {
		f := &a.src.functions[index]
		records, found := find(a.src.file.Sections[f.section].Name)
		if !found {
			return nil, 0
		}
		own := recordsOf(f, records, big)
		if len(own) == 0 || big.uint32(own) != f.start*insnSize {
			return nil, 0
		}
		size = records.RecSize
		start := len(all)
		all = append(all, own...)
		for at := start; at < len(all); at += int(size) {
			big.putUint32(all[at:], big.uint32(all[at:])/insnSize-f.start+uint32(a.at[index]))
		}
	}
	return all, size
}

// recordsOf returns those records of a section that are about a function. Compilers and linkers write them in the order of instructions,
// and the kernel takes no others.
func recordsOf(f *function, records btf.Records, big bigEndian) []byte {
	size := int(records.RecSize)
	from := func(insn uint32) int {
		return size * order.First(int(records.Count), func(i int) bool { return big.uint32(records.Data[i*size:])/insnSize >= insn })
	}
	first, end := from(f.start), from(f.start+f.count)
	if first >= end {
		return nil
	}
	return records.Data[first:end]
}
