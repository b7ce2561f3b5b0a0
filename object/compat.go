package object

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// ErrMismatch says that an existing map does not fit a Spec: errors.As finds a [*MismatchError] that says in what.
var ErrMismatch = errors.New("object: an existing map does not fit")

// MismatchError lists everything in which an existing map differs from what a Spec wants. It is [ErrMismatch].
type MismatchError struct {
	Map    string // the full name, as in the Spec
	Fields []Difference
}

// Difference is one thing in which an existing map differs.
type Difference struct {
	Field      string // "type", "key size", "max entries", "BTF of value", …
	Want, Have string // as the Spec has it, and as the existing map does
}

// Error lists each field with both values.
func (e *MismatchError) Error() string {
	s := text.Form("map {} exists, but does not fit: ").Quote(e.Map).String()
	for i, d := range e.Fields {
		if i > 0 {
			s += "; "
		}
		s += text.Form("{}: want {}, have {}").Add(d.Field).Add(d.Want).Add(d.Have).String()
	}
	return s
}

// Unwrap gives ErrMismatch.
func (e *MismatchError) Unwrap() error { return ErrMismatch }

// Compatible checks that an existing map is what loading the spec would create: type, sizes of key and value in bytes, entries, flags,
// map_extra, BTF of key and value, and of a map of maps the inner ones. What the kernel changes when it creates a map is allowed for.
// What the map holds is not compared.
//
// The rule for BTF: if the map has it and the spec too, both must describe the same keys and values; if one of them has none, the sizes must
// do. The kernel does not tell what inner maps a map of maps takes, so the first one that is in it is looked at; an empty one is taken as
// it is.
//
// The error is a [*MismatchError], or else says why it could not be found out: reading a map's BTF or inner maps takes CAP_SYS_ADMIN.
func (m *MapSpec) Compatible(have *Map) error {
	c := comparison{spec: m, source: m.source}
	if err := c.entries(have); err != nil {
		return err
	}
	c.attributes(m, have)
	if err := c.types(m, have); err != nil {
		return err
	}
	if err := c.innerMap(have); err != nil {
		return err
	}
	if len(c.fields) > 0 {
		return &MismatchError{m.Name, c.fields}
	}
	return nil
}

// comparison collects differences.
type comparison struct {
	spec   *MapSpec
	source *source
	prefix string // "inner " while an inner map is compared
	fields []Difference
}

//go:noinline
func (c *comparison) differ(field, want, have string) {
	c.fields = append(c.fields, Difference{c.prefix + field, want, have})
}

func (c *comparison) numbers(field string, want, have uint32) {
	if want != have {
		c.differ(field, text.Number(uint64(want)), text.Number(uint64(have)))
	}
}

// attributes compares what a map is created with, but for the number of entries.
func (c *comparison) attributes(m *MapSpec, have *Map) {
	info := &have.info
	if m.Type != info.Type {
		c.differ("type", m.Type.String(), info.Type.String())
	}
	c.numbers("key size", m.KeySize, info.KeySize)
	c.numbers("value size", m.ValueSize, info.ValueSize)
	if want := m.kernelFlags(); want != info.MapFlags {
		c.differ("flags", text.Hex(uint64(want)), text.Hex(uint64(info.MapFlags)))
	}
	if m.Extra != info.MapExtra && (m.Type != sys.MapTypeArena || m.Extra != 0) { // of an arena, the loader chose it
		c.differ("map extra", text.Number(m.Extra), text.Number(info.MapExtra))
	}
}

// entries compares the number of entries.
func (c *comparison) entries(have *Map) error {
	want, err := c.spec.storedEntries()
	if err != nil {
		return sys.Fail("count the processors for map", text.Quote(c.spec.Name), err, "")
	}
	c.numbers("max entries", want, have.info.MaxEntries)
	return nil
}

// storedEntries returns the number of entries as the kernel tells it of a map that was created.
func (m *MapSpec) storedEntries() (uint32, error) {
	n, err := m.kernelEntries()
	const noCommonLRU = 1 << 1 // BPF_F_NO_COMMON_LRU
	lru := m.Type == sys.MapTypeLRUHash || m.Type == sys.MapTypeLRUPercpuHash
	if err != nil || !lru || m.Flags&noCommonLRU == 0 {
		return n, err
	}
	// Every CPU gets as many: htab_map_alloc in kernel/bpf/hashtab.c.
	cpus, err := possibleCPUs()
	if err != nil {
		return 0, err
	}
	each := (uint64(n) + uint64(cpus) - 1) / uint64(cpus)
	if each*uint64(cpus) > 1<<32-1 {
		each--
	}
	return uint32(each * uint64(cpus)), nil
}

// kernelFlags returns the flags as the kernel tells them of a map that was created: those of opening are gone (bpf_map_flags_retain_permanent), and
// devmaps are read-only for programs (dev_map_alloc).
func (m *MapSpec) kernelFlags() uint32 {
	flags := m.Flags &^ (unix.BPF_F_RDONLY | unix.BPF_F_WRONLY)
	if m.Type == sys.MapTypeDevmap || m.Type == sys.MapTypeDevmapHash {
		flags |= unix.BPF_F_RDONLY_PROG
	}
	return flags
}
