package object

// Spec is an object as its ELF file describes it. What is exported may be changed before it is loaded, but nothing may be
// added to the slices or taken from them, and Maps must stay in order. Make one with [Open] or [Parse]: the zero Spec is of no use. It may be used by several goroutines at once as long as none changes it.
//
// Strings, and instructions, are views of the bytes it was read from.
type Spec struct {
	// Name of the object, "" if the file name is one that tools give to everyone's objects: see [DefaultName].
	Name string
	// License of the programs, from the section "license": the first that is there if there are several, "" if there is none. It decides which helpers they may call.
	License string
	// Version is a kernel version (KERNEL_VERSION in C) from the section "version", 0 if there is none. No kernel from 5.0 on
	// looks at it.
	Version uint32
	// Maps in the order of the file: those of ".maps", of "maps", and then one for each section of global data.
	Maps []*MapSpec
	// Programs by the place of their section in the file and their place in it.
	Programs []*ProgramSpec
	// Variables of all global data, by the place of their section in the file and their place in it. Static ones, and those of
	// objects that were linked with hidden visibility, are left out.
	Variables []*Variable

	source *source
}

// Map returns the map of that name, nil if there is none.
//
//go:noinline
func (s *Spec) Map(name string) *MapSpec {
	for _, m := range s.Maps {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// Program returns the program of that name (its C function's), nil if there is none.
//
//go:noinline
func (s *Spec) Program(name string) *ProgramSpec {
	for _, p := range s.Programs {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Variable returns the global variable of that name, nil if there is none.
func (s *Spec) Variable(name string) *Variable {
	for _, v := range s.Variables {
		if v.name == name {
			return v
		}
	}
	return nil
}

// BigEndian reports whether the object was built for big-endian machines (bpfeb). Only machines of its own byte order can load
// an object.
func (s *Spec) BigEndian() bool { return bool(s.source.big) }
