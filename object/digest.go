package object

import (
	"encoding/binary"

	"github.com/pinion-bpf/pinion/internal/sha256"
)

// ELFDigest returns the SHA-256 of the bytes that the Spec was read from.
func (s *Spec) ELFDigest() [32]byte { return sha256.Sum(s.source.data) }

// Digest returns the SHA-256 of the bytes that the Spec was read from and of everything that may be changed before it is
// loaded, but for Name, which the kernel is not told: a build stays the same build when its file is moved. So two Specs of one
// digest load the same. It is computed anew each time, in some milliseconds for a megabyte.
func (s *Spec) Digest() [32]byte {
	elf := s.ELFDigest()
	d := digester{sha256.New()}
	d.bytes(elf[:])
	d.string(s.License)
	d.number(uint64(s.Version))
	d.number(uint64(len(s.Maps)))
	for _, m := range s.Maps {
		d.mapSpec(m)
		d.bool(m.Inner != nil)
		if m.Inner != nil {
			d.mapSpec(m.Inner)
		}
	}
	d.number(uint64(len(s.Programs)))
	for _, p := range s.Programs {
		d.program(p)
	}
	return d.hash.Sum()
}

// digester adds values to a digest, each so that it cannot run into the next.
type digester struct{ hash sha256.Hash }

//go:noinline
func (d *digester) number(n uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	d.hash.Write(b[:])
}

func (d *digester) bytes(b []byte) {
	d.number(uint64(len(b)))
	d.hash.Write(b)
}

func (d *digester) string(s string) { d.bytes([]byte(s)) }

func (d *digester) bool(b bool) {
	if b {
		d.number(1)
	} else {
		d.number(0)
	}
}

// mapSpec adds a map, but not its inner one.
func (d *digester) mapSpec(m *MapSpec) {
	d.string(m.Name)
	for _, n := range [...]uint32{uint32(m.Type), m.KeySize, m.ValueSize, m.MaxEntries, m.Flags, m.NUMANode, m.Pinning} {
		d.number(uint64(n))
	}
	d.number(m.Extra)
	d.bool(m.Freeze)
	d.bytes(m.Data)
	d.number(uint64(len(m.Slots)))
	for _, slot := range m.Slots {
		d.number(uint64(slot.Index))
		d.string(slot.Name)
	}
}

func (d *digester) program(p *ProgramSpec) {
	d.string(p.Name)
	d.number(uint64(p.Type))
	d.number(uint64(p.AttachType))
	d.string(p.AttachTo)
	if p.AttachProgram != nil {
		d.bytes(p.AttachProgram.tag[:])
	}
	d.number(uint64(p.Flags))
	d.bool(p.Autoload)
	d.bool(p.Autoattach)
}
