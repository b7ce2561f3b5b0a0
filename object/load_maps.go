package object

import (
	"math/bits"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/text"
	"github.com/pinion-bpf/pinion/sys"
)

// makeMaps makes every map, or takes it from the source of existing ones.
func (l *loader) makeMaps() error {
	for i, m := range l.spec.Maps {
		existing, err := l.existing(i, m)
		if err != nil {
			return err
		}
		if existing != nil {
			l.maps[i], l.reused[i] = existing, true
			continue
		}
		if l.maps[i], err = l.makeMap(m); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) makeMap(m *MapSpec) (*Map, error) {
	if m.Type == sys.MapTypeArena {
		return l.makeArena(m)
	}
	fd, err := l.createMap(m)
	if err != nil {
		return nil, err
	}
	return NewMap(m.Name, fd)
}

// existing returns a map that exists and fits, nil if there is none.
func (l *loader) existing(i int, m *MapSpec) (*Map, error) {
	if l.opts.Maps == nil {
		return nil, nil
	}
	have, err := l.opts.Maps.ExistingMap(m)
	if err != nil || have == nil {
		return nil, err
	}
	fits := l.opts.Fits
	if fits == nil {
		fits = (*MapSpec).Compatible
	}
	if err = fits(m, have); err == nil {
		err = m.sameContents(l.dataOf(i), have)
	}
	if err != nil {
		have.Close()
		return nil, err
	}
	return have, nil
}

// createMap creates a map, and for a map of maps the template that the kernel compares inner maps with, which is not needed after.
func (l *loader) createMap(m *MapSpec) (*sys.FD, error) {
	if !isMapOfMaps(m.Type) {
		return l.createPlain(m, nil)
	}
	if m.Inner == nil {
		return nil, badSpec(text.Form("map {} is {}, but nothing says what its inner maps are; set Inner").
			Quote(m.Name).Add(m.Type.String()).String())
	}
	inner, err := l.createPlain(m.Inner, nil)
	if err != nil {
		return nil, err
	}
	defer inner.Close()
	return l.createPlain(m, inner)
}

func (l *loader) createPlain(m *MapSpec, inner *sys.FD) (*sys.FD, error) {
	entries, err := m.kernelEntries()
	if err != nil {
		return nil, sys.Fail("count the processors for map", text.Quote(m.Name), err, "")
	}
	attr := sys.MapCreateAttr{
		MapType:    m.Type,
		KeySize:    m.KeySize,
		ValueSize:  m.ValueSize,
		MaxEntries: entries,
		MapFlags:   m.Flags,
		NumaNode:   m.NUMANode,
		MapExtra:   m.Extra,
		MapName:    sys.NewObjName(m.Name),
	}
	if inner != nil {
		attr.InnerMapFD = inner.Attr()
	}
	token, flag := l.opts.Token.attr()
	attr.MapTokenFD, attr.MapFlags = token, attr.MapFlags|flag
	typed := l.btf != nil && m.valueType|m.keyType != 0 && takesBTF(m.Type)
	if typed {
		attr.BTFFD, attr.BTFKeyTypeID, attr.BTFValueTypeID = l.btf.Attr(), uint32(m.keyType), uint32(m.valueType)
	}
	create := func() (*sys.FD, error) { return sys.MapCreate(&attr) }
	fd, err := l.withMemlock(create)
	if err != nil && typed && !isOfRightsOrRoom(err) {
		// Kernels differ in which maps may have types. Those that must have them are refused again.
		attr.BTFFD, attr.BTFKeyTypeID, attr.BTFValueTypeID = 0, 0, 0
		var again error
		if fd, again = create(); again == nil {
			return fd, nil
		}
	}
	if err != nil {
		return nil, sys.Fail("create map", text.Form("{} of type {}").Quote(m.Name).Add(m.Type.String()).String(), err, m.advise(err))
	}
	return fd, nil
}

// advise says what to do about a map that cannot be created.
func (m *MapSpec) advise(err error) string {
	capability := "CAP_BPF"
	switch m.Type {
	case sys.MapTypeSockmap, sys.MapTypeSockhash, sys.MapTypeDevmap, sys.MapTypeDevmapHash, sys.MapTypeXskmap:
		capability = "CAP_NET_ADMIN"
	}
	if mayLack(err) {
		lacks := m.lackOfMap()
		if lacks == "" && err == unix.E2BIG && m.Extra != 0 { // the attribute is longer than the kernel knows it
			lacks = needs("5.16", "map_extra")
		}
		return lacks
	}
	return adviseLoad(err, capability)
}

// kernelEntries returns max_entries as BPF_MAP_CREATE gets it: libbpf's map_set_def_max_entries and adjust_ringbuf_sz.
func (m *MapSpec) kernelEntries() (uint32, error) {
	switch m.Type {
	case sys.MapTypeRingbuf, sys.MapTypeUserRingbuf:
		return ringSize(m.MaxEntries, uint32(unix.Getpagesize())), nil
	case sys.MapTypePerfEventArray:
		if m.MaxEntries == 0 {
			n, err := possibleCPUs()
			return uint32(n), err
		}
	}
	return m.MaxEntries, nil
}

// ringSize rounds a number of bytes up to a power of two that is at least a page; what has no such is left to the kernel to refuse.
func ringSize(size, page uint32) uint32 {
	if size == 0 || size > 1<<31 {
		return size
	}
	return max(page, 1<<bits.Len32(size-1))
}

// takesBTF reports whether maps of a type may have types for keys and values: not those that libbpf gives none.
func takesBTF(t sys.MapType) bool {
	switch t {
	case sys.MapTypePerfEventArray, sys.MapTypeCgroupArray, sys.MapTypeStackTrace, sys.MapTypeArrayOfMaps, sys.MapTypeHashOfMaps,
		sys.MapTypeDevmap, sys.MapTypeDevmapHash, sys.MapTypeCpumap, sys.MapTypeXskmap, sys.MapTypeSockmap, sys.MapTypeSockhash,
		sys.MapTypeQueue, sys.MapTypeStack, sys.MapTypeArena:
		return false
	}
	return true
}
