package object

import (
	"github.com/pinion-bpf/pinion/elf"
	"github.com/pinion-bpf/pinion/internal/btf"
	"github.com/pinion-bpf/pinion/internal/text"
)

// source is the file that a Spec was read from, taken apart. It never changes after parsing, so any number of loads may share it.
type source struct {
	data      []byte
	file      *elf.File
	big       bigEndian
	gas       bool       // symbols' values are in what refers to them: see readsAsGas
	types     *btf.Data  // nil if the file has no .BTF
	ext       *btf.Ext   // nil if it has no .BTF.ext
	datasecs  []btf.Type // those of types, by name
	options   options    // externs of .kconfig
	sections  []section  // by index in the file
	functions []function
	objects   []elf.Symbol // variables and map definitions, by section, then value
	maps      []MapSpec    // those that Spec.Maps points to; relocations count them
	places    []mapPlace   // where the definitions of maps are, one for each of maps

	placeOrder []int32 // the indices of places, by section, then offset; nil if they are in order
}

// parse reads everything but the name. The order matters: each step uses what the ones before found.
func parse(data []byte) (*Spec, error) {
	if len(data) > maxFile {
		return nil, malformed(text.Form("it has {} bytes; at most {} are read").Int(len(data)).Int(maxFile).String())
	}
	file, err := elf.Parse(data)
	if err != nil {
		return nil, err
	}
	src := &source{data: data, file: file, big: isBig(file.Order)}
	s := &Spec{source: src}
	for _, step := range []func(*Spec) error{
		(*Spec).readSections,
		(*Spec).readTypes,
		(*Spec).readSymbols,
		(*Spec).readPrograms,
		(*Spec).readMaps,
		(*Spec).readVariables,
	} {
		if err := step(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// readMaps makes the maps of every kind, in the order that [Spec.Maps] promises.
func (s *Spec) readMaps() error {
	src := s.source
	defs, err := src.mapVariables()
	if err != nil {
		return err
	}
	if err := src.layOutOptions(); err != nil {
		return err
	}
	n := len(defs) + src.countLegacyMaps() + src.countDataSections() + min(len(src.options.all), 1)
	b := mapBuilder{src: src, specs: make([]MapSpec, 0, n)}
	b.src.places = make([]mapPlace, 0, n)
	for _, step := range []func() error{
		func() error { return b.addDefined(defs) },
		b.addLegacy,
		b.addData,
		b.addArena,
		b.addOptions,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	s.Maps = make([]*MapSpec, n)
	for i := range b.specs {
		s.Maps[i] = &b.specs[i]
	}
	src.maps = b.specs
	if i, j := twin(n, func(i int) string { return s.Maps[i].Name }); i >= 0 {
		return malformed(text.Form("two maps are called {}, one in section {}, one in section {}").
			Quote(s.Maps[i].Name).Quote(s.Maps[i].Section).Quote(s.Maps[j].Section).String())
	}
	return s.readSlots()
}
