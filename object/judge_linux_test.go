package object_test

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pinion-bpf/pinion/internal/testenv"
	"github.com/pinion-bpf/pinion/object"
	"github.com/pinion-bpf/pinion/sys"
)

// seenMap and seenProgram are what the kernel tells of a map and a program, whoever loaded them, but for ids. Of a map's contents, they have
// the first value of an array, and which slots of a program array or a map of maps are filled.
type seenMap struct {
	Name                                      string
	Type                                      sys.MapType
	KeySize, ValueSize, MaxEntries, Flags     uint32
	Extra                                     uint64
	HasBTF, HasKeyType, HasValueType, IsFroze bool
	First                                     string
	Slots                                     []string
}

type seenProgram struct {
	Name                            string
	Type                            sys.ProgType
	Tag                             [8]byte
	XlatedBytes, Maps, Funcs, Lines uint32
	HasBTF, IsGPL, HasTarget        bool
}

// seen is a whole object as the kernel has it.
type seen struct {
	Maps     []seenMap
	Programs []seenProgram
}

// lookAt asks the kernel about descriptors, each map once, and about the maps that the programs use.
func lookAt(t testing.TB, fds []*sys.FD) seen {
	t.Helper()
	var all seen
	maps := make(map[uint32]bool)
	for _, fd := range fds {
		kind, id, err := sys.KindOf(fd)
		check(t, err)
		switch kind {
		case sys.KindMap:
			all.addMap(t, fd, id, maps)
		case sys.KindProgram:
			all.addProgram(t, fd, maps)
		}
	}
	slices.SortFunc(all.Maps, func(a, b seenMap) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.First, b.First), int(a.Type)-int(b.Type))
	})
	slices.SortFunc(all.Programs, func(a, b seenProgram) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), slices.Compare(a.Tag[:], b.Tag[:]))
	})
	return all
}

func (s *seen) addMap(t testing.TB, fd *sys.FD, id uint32, done map[uint32]bool) {
	t.Helper()
	if done[id] {
		return
	}
	done[id] = true
	var info sys.MapInfo
	_, err := sys.GetInfo(fd, &info)
	check(t, err)
	s.Maps = append(s.Maps, seenMap{
		Name: mapName(info.Name.String()), Type: info.Type, KeySize: info.KeySize, ValueSize: info.ValueSize,
		MaxEntries: info.MaxEntries, Flags: info.MapFlags, Extra: info.MapExtra,
		HasBTF: info.BTFID != 0, HasKeyType: info.BTFKeyTypeID != 0, HasValueType: info.BTFValueTypeID != 0,
		IsFroze: frozen(t, fd), First: firstValue(t, fd, &info), Slots: slots(t, fd, &info),
	})
}

// mapName takes away what libbpf puts before the name of a section of global data: the first bytes of the object's name.
func mapName(name string) string {
	if i := strings.IndexByte(name, '.'); i >= 0 {
		return name[i:]
	}
	return name
}

func frozen(t testing.TB, fd *sys.FD) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(fd.Int()))
	check(t, err)
	return strings.Contains(string(text), "\nfrozen:\t1\n")
}

func firstValue(t testing.TB, fd *sys.FD, info *sys.MapInfo) string {
	t.Helper()
	if info.Type != sys.MapTypeArray {
		return ""
	}
	key, value := make([]byte, info.KeySize), make([]byte, info.ValueSize)
	check(t, sys.MapLookupElem(&sys.MapElemAttr{MapFD: fd.Attr(), Key: sys.Slice(key), Value: sys.Slice(value)}))
	return string(value)
}

func slots(t testing.TB, fd *sys.FD, info *sys.MapInfo) (filled []string) {
	t.Helper()
	switch info.Type {
	case sys.MapTypeProgArray, sys.MapTypeArrayOfMaps, sys.MapTypeHashOfMaps:
	default:
		return nil
	}
	next, value := make([]byte, info.KeySize), make([]byte, info.ValueSize)
	for key := []byte(nil); ; key = slices.Clone(next) {
		err := sys.MapGetNextKey(&sys.MapNextKeyAttr{MapFD: fd.Attr(), Key: sys.Slice(key), NextKey: sys.Slice(next)})
		if err == unix.ENOENT {
			return filled
		}
		check(t, err)
		err = sys.MapLookupElem(&sys.MapElemAttr{MapFD: fd.Attr(), Key: sys.Slice(next), Value: sys.Slice(value)})
		if err == nil {
			filled = append(filled, string(next))
		} else if err != unix.ENOENT {
			t.Fatal(err)
		}
	}
}

func (s *seen) addProgram(t testing.TB, fd *sys.FD, done map[uint32]bool) {
	t.Helper()
	ids := make([]uint32, 64)
	info := sys.ProgInfo{NrMapIDs: uint32(len(ids)), MapIDs: sys.Slice(ids)}
	_, err := sys.GetInfo(fd, &info)
	check(t, err)
	s.Programs = append(s.Programs, seenProgram{
		Name: info.Name.String(), Type: info.Type, Tag: info.Tag, XlatedBytes: info.XlatedProgLen, Maps: info.NrMapIDs,
		Funcs: info.NrFuncInfo, Lines: info.NrLineInfo,
		HasBTF: info.BTFID != 0, IsGPL: info.GPLCompatible&1 != 0, HasTarget: info.AttachBTFID != 0,
	})
	for _, id := range ids[:info.NrMapIDs] {
		m, err := sys.MapGetFDByID(&sys.GetFDByIDAttr{StartID: id})
		check(t, err)
		s.addMap(t, m, id, done)
		check(t, m.Close())
	}
}

// seenByUs is what the kernel has of an object that this package loaded.
func seenByUs(t testing.TB, o *object.Object) seen {
	t.Helper()
	var fds []*sys.FD
	for _, m := range o.Maps() {
		fds = append(fds, m.FD())
	}
	for _, p := range o.Programs() {
		fds = append(fds, p.FD())
	}
	return lookAt(t, fds)
}

// libbpf loads a whole object with the libbpf in bpftool, and gives what the kernel then has, or what libbpf says. It pins on a bpffs of
// its own, where it takes it for /sys/fs/bpf: it pins there what an object wants pinned by name. With pinMaps it pins all maps; it cannot
// if the object pins some itself, and then those count that are pinned or that programs use.
func libbpf(t testing.TB, file string, pinMaps bool) (seen, error) {
	t.Helper()
	root := testenv.BPFFS(t)
	const private = `mount --bind "$0" /sys/fs/bpf && exec bpftool "$@"`
	arguments := []string{"--mount", "sh", "-c", private, root, "prog", "loadall", file, "/sys/fs/bpf/programs"}
	if pinMaps {
		arguments = append(arguments, "pinmaps", "/sys/fs/bpf/maps")
	}
	said, err := osexec.Command("unshare", arguments...).CombinedOutput()
	if exit := (*osexec.ExitError)(nil); errors.As(err, &exit) {
		return seen{}, errors.New(strings.TrimSpace(string(said)))
	}
	check(t, err)
	return lookAt(t, pinned(t, root)), nil
}

// pinned opens every pin below a directory.
func pinned(t testing.TB, root string) (fds []*sys.FD) {
	t.Helper()
	check(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".debug") {
			return err // the kernel's own files are called maps.debug and progs.debug
		}
		name, err := sys.CString(path)
		check(t, err)
		fd, err := sys.ObjGet(&sys.ObjAttr{Pathname: name})
		check(t, err)
		t.Cleanup(func() { check(t, fd.Close()) })
		fds = append(fds, fd)
		return nil
	}))
	return fds
}
