package object

import (
	"errors"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// ErrNoVariable is what the methods of a nil [Variable] answer: the object has no variable of the name that was asked for.
var ErrNoVariable = errors.New("object: there is no such variable")

// Variable is a global variable of the object. Its value before load is part of its map's Data.
type Variable struct {
	name   string
	spec   *MapSpec
	offset int
	size   int
}

// Name returns the variable's name, "" of a nil Variable.
func (v *Variable) Name() string {
	if v == nil {
		return ""
	}
	return v.name
}

// Size returns the length of the variable in bytes, 0 of a nil Variable.
func (v *Variable) Size() int {
	if v == nil {
		return 0
	}
	return v.size
}

// Map returns the map that holds the variable, nil of a nil Variable.
func (v *Variable) Map() *MapSpec {
	if v == nil {
		return nil
	}
	return v.spec
}

// Offset returns where in its map's value the variable begins, in bytes; 0 of a nil Variable.
func (v *Variable) Offset() int {
	if v == nil {
		return 0
	}
	return v.offset
}

// Get returns a copy of the variable's value, in the object's byte order. The error is [ErrNoVariable] if v is nil, or says that
// the map's Data was made too short.
func (v *Variable) Get() ([]byte, error) {
	place, err := v.place("get variable")
	return append([]byte(nil), place...), err
}

// Set changes the value that the variable has when the Spec is loaded; its length must be Size. For other errors see Get.
func (v *Variable) Set(value []byte) error {
	place, err := v.place("set variable")
	if err != nil {
		return err
	}
	if len(value) != len(place) {
		err := errors.New(text.Form("the value has {} bytes, the variable {}").Int(len(value)).Int(len(place)).String())
		return sys.Fail("set variable", text.Quote(v.name), err, "")
	}
	copy(place, value)
	return nil
}

// place returns the bytes of the map's Data that are the variable.
func (v *Variable) place(op string) ([]byte, error) {
	if v == nil {
		return nil, sys.Fail(op, "", ErrNoVariable, "look at the Variables of the Spec for what there is")
	}
	if v.offset+v.size > len(v.spec.Data) {
		err := errors.New(text.Form("it ends at byte {} of its map's Data, which has only {}").
			Int(v.offset + v.size).Int(len(v.spec.Data)).String())
		return nil, sys.Fail(op, text.Quote(v.name), err, "")
	}
	return v.spec.Data[v.offset:][:v.size], nil
}

// readVariables makes a variable of every symbol in global data that users can name.
func (s *Spec) readVariables() error {
	src := s.source
	n := 0
	for i := range src.objects {
		if src.isData(src.objects[i].Section) && isVariable(&src.objects[i]) {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	variables := make([]Variable, n)
	s.Variables = make([]*Variable, n)
	n = 0
	for i := range src.objects {
		symbol := &src.objects[i]
		if !src.isData(symbol.Section) || !isVariable(symbol) {
			continue
		}
		m := s.Maps[src.sections[symbol.Section].dataMap]
		if size := uint64(len(m.Data)); symbol.Value > size || symbol.Size > size-symbol.Value {
			return malformed(text.Form("variable {} has {} bytes at {} of section {}, which has only {}").
				Quote(symbol.Name).Uint(symbol.Size).Uint(symbol.Value).Quote(m.Section).Uint(size).String())
		}
		v := &variables[n]
		v.name, v.spec, v.offset, v.size = symbol.Name, m, int(symbol.Value), int(symbol.Size)
		s.Variables[n] = v
		n++
	}
	if i, j := twin(n, func(i int) string { return variables[i].name }); i >= 0 {
		return malformed(text.Form("two variables are called {}, one in section {}, one in section {}").
			Quote(variables[i].name).Quote(variables[i].spec.Section).Quote(variables[j].spec.Section).String())
	}
	return nil
}
